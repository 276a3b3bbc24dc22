-- The rows of these ids that exist, as they were decided.
select transfer_id::text, source_wallet_id::text, destination_wallet_id::text, (amount * 10000)::bigint as units,
       currency, reason, (source_balance * 10000)::bigint as source_units, source_version,
       (destination_balance * 10000)::bigint as destination_units, destination_version,
       requested_at, completed_at, reference, metadata, request_partition, request_offset,
       kind, parent_id::text, expires_at
from transfers
where transfer_id = any($1::uuid[])
