-- The keys of an account, the newest first.
select key_id::text, user_id::text, name, scopes, created_at, expires_at, last_used_at, revoked_at
from api_keys
where user_id = $1::uuid
order by created_at desc, key_id
limit $2
