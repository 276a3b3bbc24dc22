-- A partition's progress begins at offset 0.
insert into stream_progress (topic, partition, next_offset) values ($1, $2, 0) on conflict do nothing
