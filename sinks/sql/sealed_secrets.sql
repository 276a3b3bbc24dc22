-- Secrets of webhooks as they are sealed, in order of their owners: those behind $1. One that signs no more is no matter.
select user_id::text, secret_sealed, case when previous_until > now() then previous_secret_sealed end
    as previous_secret_sealed
from webhooks
where user_id > $1::uuid
order by webhooks.user_id
limit $2
