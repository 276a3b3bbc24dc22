-- Letters of an attempt have been put back, each at the given offset of its request partition.
update dead_letter_actions a
set state = 'done', done_at = now(), request_offset = l.request_offset
from unnest($4::bigint[], $5::bigint[]) as l ("offset", request_offset)
where a.topic = $1 and a.partition = $2 and a.attempt = $3 and a.state = 'intended' and a."offset" = l."offset"
