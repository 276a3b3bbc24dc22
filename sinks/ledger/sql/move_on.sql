-- All that batches change besides the rows of their transfers: wallets where they are active and their version is the
-- one that was read, and the progress of each partition where it is the one expected. The caller checks the counts,
-- and that the wallets it only relied on are still as they were read. Wallets come in the order of their ids, which is
-- the order they are locked in.
with changed as (
    update wallets as w
    set balance = u.units * 0.0001, version = u.version, updated_at = $5
    from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[]) as u (wallet_id, units, version, version_read)
    where w.wallet_id = u.wallet_id and w.version = u.version_read and w.status = 'active'
    returning 1
),
moved as (
    update stream_progress as p set next_offset = u.next_offset, updated_at = clock_timestamp()
    from unnest($9::integer[], $10::bigint[], $11::bigint[]) as u (partition, first_offset, next_offset)
    where p.topic = $8 and p.partition = u.partition and p.next_offset = u.first_offset
    returning 1
)
select (select count(*) from changed) as wallets_changed,
       (select count(*) from moved) as partitions_moved,
       (
           select count(*) from unnest($6::uuid[], $7::bigint[]) as r (wallet_id, version_read)
           join wallets as w on w.wallet_id = r.wallet_id and w.version = r.version_read and w.status = 'active'
       ) as wallets_unchanged
