drop table reconcile_runs;
-- An earlier version knows no such role.
update users set role = 'user', session_epoch = session_epoch + 1 where role = 'ops';
alter table users drop constraint users_role_check;
alter table users add constraint users_role_check check (role in ('user', 'admin'));
