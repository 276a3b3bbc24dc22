update deliveries as d set due_at = now() + $4::interval
from unnest($1::uuid[], $2::text[]) as u (transfer_id, recipient)
where d.transfer_id = u.transfer_id and d.recipient = u.recipient and d.channel = $3
