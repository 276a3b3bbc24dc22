-- The offset of the next request to apply.
select next_offset from stream_progress where topic = $1 and partition = $2
