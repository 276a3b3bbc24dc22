-- A transfer with the owners of its wallets, and how far its request's partition has been applied. One statement sees
-- one moment, and both are written in one transaction: progress beyond the request without a row means a dead letter.
select t.transfer_id::text, t.source_wallet_id::text, t.destination_wallet_id::text, t.amount::text, t.currency,
       t.status, t.reason, t.source_balance::text, t.source_version, t.destination_balance::text,
       t.destination_version, t.requested_at, t.completed_at, t.reference, t.metadata::text,
       t.kind, t.parent_id::text, t.expires_at,
       s.user_id::text as source_user_id, d.user_id::text as destination_user_id, p.next_offset
from (select $1::uuid as transfer_id) as asked
left join transfers as t on t.transfer_id = asked.transfer_id
left join wallets as s on s.wallet_id = t.source_wallet_id
left join wallets as d on d.wallet_id = t.destination_wallet_id
left join stream_progress as p on p.topic = $2 and p.partition = $3
