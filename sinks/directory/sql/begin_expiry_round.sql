-- One round of expiring holds, of all API processes together, each so many seconds ($1): a row for the one that does it.
update hold_expiry set next_round_at = now() + $1::float8 * interval '1 second'
where next_round_at <= now()
returning settled_before, now() as began_at
