-- The balances of those of these wallets that exist.
select wallet_id::text, balance::text from wallets where wallet_id = any($1::uuid[])
