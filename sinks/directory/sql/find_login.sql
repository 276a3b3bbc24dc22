-- What a login is checked against.
select user_id::text, password_hash, status, role
from users
where lower(email) = lower($1)
