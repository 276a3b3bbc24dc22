-- name: published_records_are_readable
-- title: Every record we published is readable and says where it comes from
-- checked: select count(*) + (select count(*) from rc_unreadable) from (select 1 from rc_outcome union all select 1 from rc_audit union all select 1 from rc_notification union all select 1 from rc_dead_letter) as readable
select format('%s %s-%s', role, partition, "offset") as at, problem as fault, false as pending
from rc_unreadable;
