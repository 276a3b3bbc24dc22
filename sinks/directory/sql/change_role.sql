-- Another role for an account that a person logs in to. No row when there is none that has another one, and for the
-- last active admin: all of them are locked first, so that no two can go at once.
with admins as materialized (
    select user_id from users where role = 'admin' and status = 'active' order by user_id for no key update
)
update users
set role = $2, updated_at = now()
where user_id = $1::uuid and role not in ('producer', $2)
    and (role <> 'admin' or status <> 'active' or exists (select from admins where admins.user_id <> $1::uuid))
returning user_id::text, email, status, role, created_at, updated_at
