-- A wallet by its id.
select wallet_id::text, user_id::text, kind, currency, balance::text, version, status, created_at, updated_at
from wallets
where wallet_id = $1::uuid
