-- An account's webhook, without its secrets.
select url, case when previous_until > now() then previous_until end as previous_secret_until, created_at, updated_at
from webhooks
where user_id = $1::uuid
