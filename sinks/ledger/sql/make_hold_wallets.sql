-- The hold wallets ($2) of these wallets ($1), where those exist and are people's, and their hold wallets do not. In the
-- order of ids, so that two workers who make the same ones wait for each other in turn.
insert into wallets (wallet_id, user_id, kind, currency, holds_of)
select u.hold_wallet_id, w.user_id, 'hold', w.currency, w.wallet_id
from unnest($1::uuid[], $2::uuid[]) as u (wallet_id, hold_wallet_id)
join wallets as w on w.wallet_id = u.wallet_id and w.kind = 'user'
order by u.hold_wallet_id
on conflict (wallet_id) do nothing
