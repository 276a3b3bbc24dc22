-- A wallet's history by one index over both legs instead of a B-tree for each.
--
-- A key is a wallet and 64 of its versions, which follow one another without a gap: whoever looks for an entry knows
-- its key. A GIN index takes new rows into a list and sorts them in by the thousand, which costs a fifth of two B-tree
-- insertions a transfer. The list is short, since each search reads it from end to end, and whoever fills it sorts it in.
drop index transfers_source_entries;
drop index transfers_destination_entries;

create index transfers_entries on transfers using gin ((array[
    uuid_hash_extended(source_wallet_id, source_version / 64),
    uuid_hash_extended(destination_wallet_id, destination_version / 64)
])) with (gin_pending_list_limit = 256) where source_version is not null;
