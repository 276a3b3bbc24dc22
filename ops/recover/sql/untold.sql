-- The rows of these partitions behind the last outcome told, in the order in which outcomes stand on their topic.
select t.transfer_id::text, t.source_wallet_id::text, t.destination_wallet_id::text, (t.amount * 10000)::bigint as units,
       t.currency, t.reason, (t.source_balance * 10000)::bigint as source_units, t.source_version,
       (t.destination_balance * 10000)::bigint as destination_units, t.destination_version,
       t.requested_at, t.completed_at, t.reference, t.metadata, t.request_partition, t.request_offset,
       t.kind, t.parent_id::text, t.expires_at
from unnest($1::integer[], $2::bigint[]) as u (partition, told)
join transfers t on t.request_partition = u.partition
where t.request_offset > u.told
order by t.request_partition, t.request_offset
