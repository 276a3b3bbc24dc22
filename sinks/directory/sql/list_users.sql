-- A page of accounts in order of their ids: those behind $1, of this e-mail and this role where these are given.
select user_id::text, email, status, role, created_at, updated_at
from users
where ($1::uuid is null or user_id > $1::uuid) and ($2::text is null or lower(email) = lower($2))
    and ($3::text is null or role = $3)
order by users.user_id
limit $4
