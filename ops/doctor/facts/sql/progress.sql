select topic, partition, next_offset from stream_progress where topic = any($1::text[])
