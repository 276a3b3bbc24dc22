-- An account for a program, which has no password; no row when the e-mail is taken, in whatever case.
insert into users (email, password_hash, role)
values ($1, 'none', 'producer')
on conflict (lower(email)) do nothing
returning user_id::text, email, status, role, created_at, updated_at
