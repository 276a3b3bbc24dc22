-- A user's wallets: at most one a currency.
select wallet_id::text, user_id::text, kind, currency, balance::text, version, status, created_at, updated_at,
       '0.0000' as held, transfer_max::text, day_max::text
from wallets
where user_id = $1::uuid and kind = 'user'
order by currency
