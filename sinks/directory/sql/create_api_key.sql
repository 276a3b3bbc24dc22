-- A key for an active producer that has fewer than $7 good ones; no row otherwise. The account is locked by now, so that
-- this counts every one. Sweeps up what is over beyond the newest $7 of that.
with surplus as (
    delete from api_keys where key_id in (
        select key_id from api_keys
        where user_id = $2::uuid and (revoked_at is not null or expires_at <= now())
        order by created_at desc offset $7 limit 100
    )
)
insert into api_keys (key_id, user_id, name, scopes, secret_hash, expires_at)
select $1::uuid, user_id, $3, $4::text[], $5, now() + $6 * interval '1 day'
from users
where user_id = $2::uuid and role = 'producer' and status = 'active' and $7 > (
    select count(*) from api_keys
    where api_keys.user_id = $2::uuid and revoked_at is null and (expires_at is null or expires_at > now())
)
returning key_id::text, user_id::text, name, scopes, created_at, expires_at, last_used_at, revoked_at
