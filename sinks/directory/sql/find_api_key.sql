-- What a key that is shown is checked against; no row for one that is over, or whose account is.
select k.user_id::text, k.scopes, k.secret_hash, k.expires_at, u.access_epoch
from api_keys as k
join users as u using (user_id)
where k.key_id = $1::uuid and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
    and u.status = 'active' and u.role = 'producer'
