update deliveries as d set status = 'failed', last_error = $4, updated_at = now()
from unnest($1::uuid[], $2::text[]) as u (transfer_id, recipient)
where d.transfer_id = u.transfer_id and d.recipient = u.recipient and d.channel = $3
