-- Of each outcome whether the ledger has applied its request, and the columns of stored_transfers.sql where it has the
-- row. One statement, so that both are of one moment.
select coalesce(p.next_offset > o.source_offset, false) as is_applied,
       t.transfer_id::text, t.source_wallet_id::text, t.destination_wallet_id::text, (t.amount * 10000)::bigint as units,
       t.currency, t.reason, (t.source_balance * 10000)::bigint as source_units, t.source_version,
       (t.destination_balance * 10000)::bigint as destination_units, t.destination_version,
       t.requested_at, t.completed_at, t.reference, t.metadata, t.request_partition, t.request_offset,
       t.kind, t.parent_id::text, t.expires_at
from unnest($2::uuid[], $3::integer[], $4::bigint[]) with ordinality as o (transfer_id, partition, source_offset, number)
left join stream_progress p on p.topic = $1 and p.partition = o.partition
left join transfers t on t.transfer_id = o.transfer_id
order by o.number
