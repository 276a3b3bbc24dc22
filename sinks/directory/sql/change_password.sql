-- Another password, which ends every session and any token for another one; no row when the old password is no longer
-- what it was checked against.
with changed as (
    update users
    set password_hash = $3, session_epoch = session_epoch + 1, updated_at = now()
    where user_id = $1::uuid and password_hash = $2 and status = 'active'
    returning user_id
), forgotten as (
    delete from password_resets where user_id in (select user_id from changed)
)
select user_id::text from changed
