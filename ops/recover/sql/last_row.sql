-- The last row of a partition's requests between two offsets.
select transfer_id::text, request_offset from transfers
where request_partition = $1 and request_offset >= $2 and request_offset < $3
order by request_offset desc limit 1
