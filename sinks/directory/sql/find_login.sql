-- What a login is checked against.
select user_id::text, password_hash, status, role, session_epoch, access_epoch
from users
where lower(email) = lower($1)
