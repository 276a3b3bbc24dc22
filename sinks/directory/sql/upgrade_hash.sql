-- The same password under a newer hash, unless the password has been changed meanwhile.
update users
set password_hash = $3
where user_id = $1::uuid and password_hash = $2
