-- The progress of a partition begins at offset 0.
insert into stream_progress (topic, partition, next_offset)
select $1, partition, 0 from unnest($2::integer[]) as partition
on conflict do nothing
