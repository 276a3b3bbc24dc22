-- Set letters of one partition aside for good. Of a replay that nobody can decide any more this makes an end, too.
insert into dead_letter_actions as a (topic, partition, "offset", action, state, reason, actor, done_at)
select $1, $2, l."offset", 'discard', 'done', $3, $4, now()
from unnest($5::bigint[]) as l ("offset")
on conflict (topic, partition, "offset") do update
set action = 'discard', state = 'done', reason = excluded.reason, actor = excluded.actor, done_at = excluded.done_at,
    attempt = null, request_partition = null, scan_from = null
where a.state = 'intended'
returning "offset"
