-- The next refresh token in place of the newest, or the end of the session: where the token shown is not the newest,
-- somebody has a copy (RFC 9700 section 4.14.2); where the account is not as it was at login, it must log in again.
-- One row, for a session that was good until now. Of two who show the same token, the second waits for the first.
update sessions as s
set (token_hash, revoked_at) = (
    select case when is_good then $3 else s.token_hash end, case when is_good then null else now() end
    from (select s.token_hash = $2 and u.status = 'active' and u.session_epoch = s.session_epoch as is_good) as shown
)
from users as u
where s.session_id = $1::uuid and s.revoked_at is null and s.expires_at > now() and u.user_id = s.user_id
returning s.user_id::text, u.role, u.access_epoch, s.revoked_at is null as is_renewed
