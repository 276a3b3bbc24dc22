-- Open discarded letters of one partition again.
delete from dead_letter_actions
where topic = $1 and partition = $2 and action = 'discard' and "offset" = any($3::bigint[])
returning "offset"
