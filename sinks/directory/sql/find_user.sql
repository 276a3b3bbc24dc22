-- An account by its id.
select user_id::text, email, status, role, created_at, updated_at
from users
where user_id = $1::uuid
