select transfer_id::text, recipient, channel, user_id::text, attempts, last_error, updated_at as failed_at
from deliveries
where status = 'failed'
order by updated_at desc
limit $1
