-- Forgets what was done about letters that are gone: the next ones will stand where they stood.
delete from dead_letter_actions a
using unnest($2::integer[], $3::bigint[]) as u (partition, end_offset)
where a.topic = $1 and a.partition = u.partition and a."offset" >= u.end_offset
