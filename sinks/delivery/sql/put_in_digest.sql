update deliveries as d set digest_id = u.digest_id, due_at = u.ends_at, updated_at = now()
from unnest($1::uuid[], $2::text[], $4::uuid[], $5::timestamptz[]) as u (transfer_id, recipient, digest_id, ends_at)
where d.transfer_id = u.transfer_id and d.recipient = u.recipient and d.channel = $3
