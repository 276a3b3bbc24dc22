drop index transfers_entries;

create unique index transfers_source_entries on transfers (source_wallet_id, source_version)
    where source_version is not null;
create unique index transfers_destination_entries on transfers (destination_wallet_id, destination_version)
    where destination_version is not null;
