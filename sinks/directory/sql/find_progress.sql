-- The offset of the next request to apply of a partition; no row when it has not got anywhere.
select next_offset from stream_progress where topic = $1 and partition = $2
