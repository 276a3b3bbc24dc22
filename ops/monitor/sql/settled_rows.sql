-- Rows committed after one moment and up to another, in the order of time; all that share the last one's time.
select transfer_id::text, request_partition, request_offset, completed_at
from transfers
where completed_at > $1 and completed_at <= $2
order by completed_at
fetch first $3 rows with ties
