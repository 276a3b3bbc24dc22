-- End a key of an account for good; no row when the account has no such key.
update api_keys set revoked_at = coalesce(revoked_at, now())
where key_id = $2::uuid and user_id = $1::uuid
returning key_id::text
