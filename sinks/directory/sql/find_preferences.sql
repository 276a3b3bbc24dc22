-- How an account wants to be told; no row if it has never said so.
select email_on as email, webhook_on as webhook, failures_on as failures, minimums::text, updated_at
from notification_preferences
where user_id = $1::uuid
