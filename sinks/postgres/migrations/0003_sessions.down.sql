drop table attempts;
drop table sessions;
alter table users drop column session_epoch;
