drop index concurrently if exists transfers_completed;
drop index concurrently if exists transfers_metadata;
drop index concurrently if exists transfers_reference;
drop index concurrently if exists transfers_failed;
