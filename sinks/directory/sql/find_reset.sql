-- The account that a token is good for.
select user_id::text, email
from password_resets
join users using (user_id)
where reset_id = $1::uuid and token_hash = $2 and expires_at > now() and status = 'active'
