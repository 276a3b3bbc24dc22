-- Another password, which ends every session; no row when the old one is no longer what it was checked against.
update users
set password_hash = $3, session_epoch = session_epoch + 1, updated_at = now()
where user_id = $1::uuid and password_hash = $2 and status = 'active'
returning user_id::text
