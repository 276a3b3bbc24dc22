-- What these active accounts have chosen. $1: their ids.
select
    user_id::text,
    coalesce(email_on, true) as email_on,
    coalesce(failures_on, true) as failures_on,
    coalesce(minimums, '{}')::text as minimums,
    case when coalesce(webhook_on, true) then url end as url,
    secret_sealed,
    case when previous_until > now() then previous_secret_sealed end as previous_secret_sealed
from users
left join notification_preferences using (user_id)
left join webhooks using (user_id)
where user_id = any($1::uuid[]) and status = 'active'
