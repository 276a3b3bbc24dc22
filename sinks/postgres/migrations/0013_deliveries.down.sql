drop table email_windows;
drop table deliveries;
