-- Those of the transfers $1, all where it is null, as if they had just been queued.
update deliveries
set status = 'pending', attempts = 0, due_at = now(), digest_id = null, last_error = null, updated_at = now()
where status = 'failed' and ($1::uuid[] is null or transfer_id = any($1))
returning 1
