-- End one session.
update sessions set revoked_at = now() where session_id = $1::uuid and revoked_at is null
