-- What was done about the letters of one partition between two offsets, both included.
select "offset", action, state, attempt, request_partition, request_offset, reason, actor, began_at, done_at
from dead_letter_actions
where topic = $1 and partition = $2 and "offset" between $3 and $4
