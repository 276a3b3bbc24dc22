-- no transaction
-- The holds of a wallet in order: its hold wallet is their destination.
create index concurrently if not exists transfers_holds on transfers (destination_wallet_id, destination_version)
    where kind = 'hold'
