-- Another status for a wallet that has one of $3; only an empty one is closed, of which nothing is held ($4). No row
-- otherwise. Waits for a batch that is about to change the wallet; what is held was read before, so that an active wallet
-- with another version by then is not closed.
update wallets as w
set status = $2, updated_at = now()
from (
    select s.version, coalesce((select h.balance from wallets as h where h.wallet_id = $4::uuid), 0.0000) as held
    from wallets as s
    where s.wallet_id = $1::uuid
) as seen
where w.wallet_id = $1::uuid and w.status = any($3::text[])
    and ($2 <> 'closed' or (w.balance = 0 and w.kind = 'user' and seen.held = 0 and w.version = seen.version))
returning w.wallet_id::text, w.user_id::text, w.kind, w.currency, w.balance::text, w.version, w.status, w.created_at,
       w.updated_at, seen.held::text as held, w.transfer_max::text, w.day_max::text
