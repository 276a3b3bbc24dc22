-- End every session of an account; no row when there is no such account.
update users
set session_epoch = session_epoch + 1, updated_at = now()
where user_id = $1::uuid
returning user_id::text
