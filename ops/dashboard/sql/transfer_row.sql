-- A transfer's row, and how far the notifications of its partition have been handed out ($2 is their topic).
select t.transfer_id::text, t.source_wallet_id::text, t.destination_wallet_id::text, t.amount::text,
       t.currency::text, t.status, t.reason, t.source_balance::text, t.source_version, t.destination_balance::text,
       t.destination_version, t.requested_at, t.completed_at, t.reference, t.metadata::text,
       t.kind, t.parent_id::text, t.expires_at, t.request_partition, t.request_offset, p.next_offset as delivered_below
from transfers as t
left join stream_progress as p on p.topic = $2 and p.partition = t.request_partition
where t.transfer_id = $1
