-- Until these rows are taken away again, no worker begins. A partition whose topic must be renewed has in next_offset
-- where it is to begin, one whose outcomes must all be published anew -1, the others 0. What an earlier run has noted
-- stands.
insert into stream_progress (topic, partition, next_offset)
select $1, partition, next_offset from unnest($2::integer[], $3::bigint[]) as u (partition, next_offset)
on conflict do nothing
