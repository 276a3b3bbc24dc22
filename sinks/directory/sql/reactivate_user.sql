-- Let an account that was closed be used again; no row when there is no such account.
update users
set status = 'active', updated_at = now()
where user_id = $1::uuid and status <> 'active'
returning user_id::text, email, status, role, created_at, updated_at
