-- A reconciliation has come to its end.
insert into reconcile_runs (started_at, finished_at, passed, report)
values ($1, $2, $3, $4::jsonb)
returning run_id
