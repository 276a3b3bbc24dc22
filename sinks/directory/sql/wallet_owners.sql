-- Whose these wallets are; null for a world wallet.
select wallet_id::text, user_id::text
from wallets
where wallet_id = any($1::uuid[])
