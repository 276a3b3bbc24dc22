-- A new account; no row when the e-mail is taken, in whatever case.
insert into users (email, password_hash)
values ($1, $2)
on conflict (lower(email)) do nothing
returning user_id::text, email, status, role, created_at, updated_at
