-- Let another secret sign, and the present one beside it for $3. What was before that signs no more.
update webhooks
set secret_sealed = $2, previous_secret_sealed = secret_sealed, previous_until = now() + $3::interval,
    updated_at = now()
where user_id = $1::uuid
returning url, previous_until as previous_secret_until, created_at, updated_at
