-- From now on a digest is being tried, for $2 at most, with as much of it as one message holds: the same each time.
update deliveries as d set attempts = attempts + 1, tried_at = now(), due_at = now() + $2::interval, updated_at = now()
from (
    select transfer_id, recipient, channel from deliveries
    where status = 'pending' and digest_id = $1 and due_at <= now()
    order by created_at, transfer_id, recipient
    limit $3
    for update
) as u
where d.transfer_id = u.transfer_id and d.recipient = u.recipient and d.channel = u.channel
returning d.transfer_id, d.recipient, d.user_id, d.attempts - 1 as attempts, d.notification, d.tried_at
