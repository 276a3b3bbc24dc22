-- All that batches change, in one statement: wallets where their version is the one that was read, a row for each
-- transfer, and the progress of each partition where it is the one expected. The caller checks both counts.
with changed as (
    update wallets as w
    set balance = u.units * 0.0001, version = u.version, updated_at = $21
    from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[]) as u (wallet_id, units, version, version_read)
    where w.wallet_id = u.wallet_id and w.version = u.version_read
    returning 1
),
stored as (
    insert into transfers (
        transfer_id, source_wallet_id, destination_wallet_id, amount, currency, status, reason,
        source_balance, source_version, destination_balance, destination_version,
        requested_at, completed_at, reference, metadata, request_partition, request_offset
    )
    select t.transfer_id, t.source_wallet_id, t.destination_wallet_id, t.units * 0.0001, t.currency,
           case when t.reason is null then 'COMPLETED' else 'FAILED' end, t.reason,
           t.source_units * 0.0001, t.source_version, t.destination_units * 0.0001, t.destination_version,
           t.requested_at, $21, t.reference, t.metadata, t.request_partition, t.request_offset
    from unnest(
        $5::uuid[], $6::uuid[], $7::uuid[], $8::bigint[], $9::text[], $10::text[],
        $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[],
        $15::timestamptz[], $16::text[], $17::jsonb[], $18::integer[], $19::bigint[]
    ) as t (
        transfer_id, source_wallet_id, destination_wallet_id, units, currency, reason,
        source_units, source_version, destination_units, destination_version,
        requested_at, reference, metadata, request_partition, request_offset
    )
),
moved as (
    update stream_progress as p set next_offset = u.next_offset, updated_at = clock_timestamp()
    from unnest($22::integer[], $23::bigint[], $24::bigint[]) as u (partition, first_offset, next_offset)
    where p.topic = $20 and p.partition = u.partition and p.next_offset = u.first_offset
    returning 1
)
select (select count(*) from changed) as wallets_changed, (select count(*) from moved) as partitions_moved
