-- A wallet by its id, and what its hold wallet ($2) holds.
select wallet_id::text, user_id::text, kind, currency, balance::text, version, status, created_at, updated_at,
       coalesce((select h.balance from wallets as h where h.wallet_id = $2::uuid), 0.0000)::text as held,
       transfer_max::text, day_max::text
from wallets
where wallet_id = $1::uuid
