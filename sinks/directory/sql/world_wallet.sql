-- The currency's world wallet, made where it is missing. No row when another connection has just made it: ask again.
with made as (
    insert into wallets (kind, currency)
    select 'world', $1::char(3)
    where not exists (select from wallets where kind = 'world' and currency = $1::char(3))
    on conflict (currency) where kind = 'world' do nothing
    returning wallet_id
)
select wallet_id::text from made
union all
select wallet_id::text from wallets where kind = 'world' and currency = $1::char(3)
