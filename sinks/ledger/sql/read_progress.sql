-- The offset of the next request to apply, of each of these partitions.
select partition, next_offset from stream_progress where topic = $1 and partition = any($2::integer[])
