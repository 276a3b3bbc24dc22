-- The same secrets of a webhook ($1), sealed anew, unless others have come: $2 and $3 as they were, $4 and $5 as they are.
-- A previous one that signs no more is forgotten.
update webhooks
set secret_sealed = $4, previous_secret_sealed = $5::bytea,
    previous_until = case when $5::bytea is not null then previous_until end
where user_id = $1::uuid and secret_sealed = $2 and ($3::bytea is null or previous_secret_sealed = $3)
