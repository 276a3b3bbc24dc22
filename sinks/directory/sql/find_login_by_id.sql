-- What a change of the password is checked against.
select user_id::text, email, password_hash, status, role, session_epoch, access_epoch
from users
where user_id = $1::uuid
