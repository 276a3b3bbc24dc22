-- What of a digest was tried $2 times, the last time without an end.
update deliveries set status = 'failed', last_error = $3, updated_at = now()
where status = 'pending' and digest_id = $1 and due_at <= now() and attempts >= $2
