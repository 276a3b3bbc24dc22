-- A user's wallets: at most one a currency.
select wallet_id::text, user_id::text, kind, currency, balance::text, version, status, created_at, updated_at
from wallets
where user_id = $1::uuid and kind = 'user'
order by currency
