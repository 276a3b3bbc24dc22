-- Attempts that are not noted as done, with the letters of each and from where on they would be found.
select attempt, partition, request_partition, min(scan_from) as scan_from, array_agg("offset" order by "offset") as offsets
from dead_letter_actions
where topic = $1 and state = 'intended'
group by attempt, partition, request_partition
order by attempt, partition, request_partition
