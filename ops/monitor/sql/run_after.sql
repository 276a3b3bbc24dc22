-- The newest reconciliation, if there is one after the given one.
select run_id, started_at, finished_at, passed, report::text
from reconcile_runs
where run_id > $1
order by run_id desc
limit 1
