-- What is due on a channel, $1, the first $2 of it that nobody else is looking at.
select transfer_id, recipient, user_id, attempts, notification
from deliveries
where status = 'pending' and digest_id is null and channel = $1 and due_at <= now()
order by due_at
limit $2
for update skip locked
