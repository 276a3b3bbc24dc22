-- What each worker last said of itself, and for how long it has said nothing, by the clock that both go by.
select worker_id, agents, host, pid, version, started_at, seen_at,
       extract(epoch from clock_timestamp() - seen_at)::double precision as unseen_s,
       memory_bytes, assigned::text, figures::text
from workers
order by host, started_at, worker_id
limit $1
