-- Another password for the account of this token, which is gone with it; ends every session. No row for a token that
-- is no longer good: of two who show it at once, one comes too late.
with redeemed as (
    delete from password_resets where reset_id = $1::uuid and token_hash = $2 and expires_at > now()
    returning user_id
)
update users
set password_hash = $3, session_epoch = session_epoch + 1, updated_at = now()
from redeemed
where users.user_id = redeemed.user_id and status = 'active'
returning users.user_id::text
