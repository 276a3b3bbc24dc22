-- Of each of these partitions: the rows behind the last outcome told, where no outcome is left at all, or the request
-- is not on the topic any more, so that no worker comes by there and tells what became of it.
select t.request_partition as partition, count(*) as rows
from unnest($1::integer[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::boolean[])
    as u (partition, told, applied, begin_offset, end_offset, is_untold)
join transfers t on t.request_partition = u.partition
where t.request_offset > u.told and t.request_offset < u.applied
  and (u.is_untold or t.request_offset < u.begin_offset or t.request_offset >= u.end_offset)
group by t.request_partition
