-- The offset of the next request to apply, of each partition that has got anywhere.
select partition, next_offset from stream_progress where topic = $1
