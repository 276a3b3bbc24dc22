-- Note that somebody asks for a new password to the account of this e-mail, if a person has one. A token
-- that is out stays good, whoever asks.
insert into password_resets (user_id)
select user_id from users where lower(email) = lower($1) and status = 'active' and role <> 'producer'
on conflict (user_id) do update
set requested_at = now(), reset_id = null, token_hash = null, expires_at = null
where password_resets.expires_at <= now()
