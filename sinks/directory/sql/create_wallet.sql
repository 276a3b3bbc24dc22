-- A user's wallet, and the currency's world wallet where it is missing; no row when the user has one already.
with world as (
    insert into wallets (kind, currency)
    values ('world', $2::char(3))
    on conflict (currency) where kind = 'world' do nothing
)
insert into wallets (user_id, currency)
values ($1::uuid, $2::char(3))
on conflict (user_id, currency) where kind = 'user' do nothing
returning wallet_id::text, user_id::text, kind, currency, balance::text, version, status, created_at, updated_at,
       '0.0000' as held, transfer_max::text, day_max::text
