-- A page of what an account ($1) was told, or is to be, the newest first: behind the row that $2 to $5 are of.
select transfer_id::text, recipient, channel, status, attempts, digest_id::text, last_error, created_at, tried_at,
    case when status = 'pending' then due_at end as next_try_at
from deliveries
where user_id = $1::uuid and created_at <= $2
    and (created_at < $2 or (transfer_id, recipient, channel) > ($3::uuid, $4, $5))
order by created_at desc, deliveries.transfer_id, recipient, channel
limit $6
