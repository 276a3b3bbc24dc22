-- Where a transfer was requested.
select request_partition, request_offset from transfers where transfer_id = $1
