-- A session for an account that is still as it was when its password was checked; no row otherwise. Sweeps up a bounded
-- number of expired ones, and the account's oldest beyond $6.
with expired as (
    delete from sessions where session_id in (
        select session_id from sessions where expires_at <= now()
        order by expires_at limit 100 for update skip locked
    )
), surplus as (
    delete from sessions where session_id in (
        select session_id from (
            select session_id from sessions where user_id = $2::uuid order by created_at desc offset $6 - 1 limit 100
        ) as oldest
    )
)
insert into sessions (session_id, user_id, session_epoch, token_hash, expires_at)
select $1::uuid, user_id, session_epoch, $4, now() + $5 * interval '1 second'
from users
where user_id = $2::uuid and session_epoch = $3 and status = 'active'
returning session_id::text
