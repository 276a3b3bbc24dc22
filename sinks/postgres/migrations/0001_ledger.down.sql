drop table stream_progress;
drop view entries;
drop table transfers;
drop function refuse_change();
drop table wallets;
drop table users;
