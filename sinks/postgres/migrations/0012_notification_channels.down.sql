drop table webhooks;
drop table notification_preferences;
