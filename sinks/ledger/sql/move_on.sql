-- All that batches change besides the rows of their transfers: wallets where their version and their terms are those
-- that were read, and the progress of each partition where it is the one expected. The caller checks the counts,
-- and that the wallets it only relied on are still as they were read. Wallets come in the order of their ids, which is
-- the order they are locked in. Nearly all terms are 0: where none were sent, they are.
with changed as (
    update wallets as w
    set balance = u.units * 0.0001, version = u.version, updated_at = $5
    from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $12::integer[])
        as u (wallet_id, units, version, version_read, terms_read)
    where w.wallet_id = u.wallet_id and w.version = u.version_read and w.terms = coalesce(u.terms_read, 0)
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
           select count(*) from unnest($6::uuid[], $7::bigint[], $13::integer[]) as r (wallet_id, version_read, terms_read)
           join wallets as w on w.wallet_id = r.wallet_id and w.version = r.version_read and w.terms = r.terms_read
       ) as wallets_unchanged
