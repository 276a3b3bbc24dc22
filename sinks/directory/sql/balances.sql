-- The balances of those of these wallets that exist, and their versions.
select wallet_id::text, balance::text, version from wallets where wallet_id = any($1::uuid[])
