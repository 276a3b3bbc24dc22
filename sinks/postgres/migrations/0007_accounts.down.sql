drop trigger users_access on users;
drop trigger sessions_ended on sessions;
drop table api_keys;
drop table password_resets;
drop table revocations;
drop function users_access_changed();
drop function session_ended();
drop function api_key_ended();
drop function note_revocation(uuid, bigint);
-- An earlier version knows no such roles. Analysts are no users, and a producer has no password.
update users set role = 'user', status = 'disabled', session_epoch = session_epoch + 1
where role in ('producer', 'analyst');
alter table users drop constraint users_role_check;
alter table users add constraint users_role_check check (role in ('user', 'ops', 'admin'));
alter table users drop column access_epoch;
