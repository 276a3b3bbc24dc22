-- What was done about letters at or behind the ends of their partitions, by partition.
select a.partition, count(*) as actions
from unnest($2::integer[], $3::bigint[]) as u (partition, end_offset)
join dead_letter_actions a on a.topic = $1 and a.partition = u.partition and a."offset" >= u.end_offset
group by a.partition
