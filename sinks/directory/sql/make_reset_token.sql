-- A token for the account in place of any that it had; no row unless it is an active one of a person's.
insert into password_resets (user_id, reset_id, token_hash, expires_at)
select user_id, $2::uuid, $3, now() + $4 * interval '1 second'
from users
where user_id = $1::uuid and status = 'active' and role <> 'producer'
on conflict (user_id) do update
set reset_id = excluded.reset_id, token_hash = excluded.token_hash, expires_at = excluded.expires_at
returning expires_at
