-- Close an account to everybody: its sessions end, its keys are revoked for good. No row when there is no such active
-- account, and for the last active admin: all of them are locked first, so that no two can go at once.
with admins as materialized (
    select user_id from users where role = 'admin' and status = 'active' order by user_id for no key update
), deactivated as (
    update users
    set status = 'disabled', session_epoch = session_epoch + 1, updated_at = now()
    where user_id = $1::uuid and status = 'active'
        and (role <> 'admin' or exists (select from admins where admins.user_id <> $1::uuid))
    returning user_id, email, status, role, created_at, updated_at
), revoked as (
    update api_keys set revoked_at = now()
    where revoked_at is null and user_id in (select user_id from deactivated)
)
select user_id::text, email, status, role, created_at, updated_at from deactivated
