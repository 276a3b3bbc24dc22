-- Notifications go on at the end of their topic, where that ends before what was delivered of it.
update stream_progress as p set next_offset = u.end_offset, updated_at = clock_timestamp()
from unnest($2::integer[], $3::bigint[]) as u (partition, end_offset)
where p.topic = $1 and p.partition = u.partition and p.next_offset > u.end_offset
