-- no transaction
-- What lists of transfers are read by. Each index but the last one leaves out the rows that it is not about, so that
-- an ordinary transfer costs nothing more in it.

-- A wallet's failed transfers, which have no version. Their sender alone sees them.
create index concurrently if not exists transfers_failed on transfers (source_wallet_id, completed_at, transfer_id)
    where status = 'FAILED';

-- A B-tree, for it is read no further than a page needs, however many transfers share a reference.
create index concurrently if not exists transfers_reference on transfers (hashtextextended(reference, 0))
    where reference is not null;

create index concurrently if not exists transfers_metadata on transfers using gin (metadata jsonb_path_ops)
    with (gin_pending_list_limit = 256) where metadata is not null;

-- All transfers in the order of time. All rows of a transaction have the same time, and later ones a later time: they
-- go to the right end, and equal keys are stored once.
create index concurrently if not exists transfers_completed on transfers (completed_at);
