-- Forget a webhook with its secrets.
delete from webhooks where user_id = $1::uuid
returning user_id
