-- What was asked for in the transfers of these ids, and where each request stood.
select transfer_id::text, source_wallet_id::text, destination_wallet_id::text, amount::text, currency, reference,
       metadata::text, kind, parent_id::text, expires_at, requested_at, request_partition, request_offset
from transfers
where transfer_id = any($1::uuid[])
