-- Whose a wallet is; null for a world wallet.
select user_id::text
from wallets
where wallet_id = $1::uuid
