-- Runs up to this one have been of use for long enough.
delete from reconcile_runs where run_id <= $1
