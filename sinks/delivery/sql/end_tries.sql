-- What became of a try, unless it took so long that another one has begun since.
update deliveries as d set
    status = $5,
    due_at = case when $5 = 'pending' then now() + $6::interval else due_at end,
    last_error = $7,
    updated_at = now()
from unnest($1::uuid[], $2::text[]) as u (transfer_id, recipient)
where d.transfer_id = u.transfer_id and d.recipient = u.recipient and d.channel = $3
    and d.status = 'pending' and d.tried_at = $4
