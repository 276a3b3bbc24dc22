-- no transaction
-- What was drawn on a transfer, by parent_id; and the holds that end, by time, where parent_id is null.
create index concurrently if not exists transfers_draws on transfers (parent_id, expires_at)
    where parent_id is not null or expires_at is not null
