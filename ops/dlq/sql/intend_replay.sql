-- Letters of one partition are about to be put back. A letter that has a row refuses: somebody else has acted on it.
insert into dead_letter_actions (topic, partition, "offset", action, state, attempt, request_partition, scan_from, actor)
select $1, $2, l."offset", 'replay', 'intended', $3, l.request_partition, l.scan_from, $4
from unnest($5::bigint[], $6::integer[], $7::bigint[]) as l ("offset", request_partition, scan_from)
