-- From now on these deliveries are being tried, for $4 at most.
update deliveries as d set attempts = attempts + 1, tried_at = now(), due_at = now() + $4::interval, updated_at = now()
from unnest($1::uuid[], $2::text[]) as u (transfer_id, recipient)
where d.transfer_id = u.transfer_id and d.recipient = u.recipient and d.channel = $3
