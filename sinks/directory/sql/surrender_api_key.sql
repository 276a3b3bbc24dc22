-- End the key that somebody shows.
update api_keys set revoked_at = now()
where key_id = $1::uuid and secret_hash = $2 and revoked_at is null
returning user_id::text
