-- What has drawn, or has tried to draw, on a transfer, the newest first.
select transfer_id::text, kind, status, reason, amount::text, destination_wallet_id::text, completed_at
from transfers
where parent_id = $1::uuid
order by completed_at desc, transfer_id
limit $2
