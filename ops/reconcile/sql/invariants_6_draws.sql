-- Money that is held, and transfers that draw on earlier ones.

-- name: held_is_what_is_left
-- title: A hold wallet's balance is what is left of its holds
-- checked: select count(*) from wallets where kind = 'hold'
with drawn as (
    select parent_id, sum(amount) as amount from transfers where parent_id is not null and status = 'COMPLETED' group by 1
), held as (
    select t.destination_wallet_id as wallet_id, sum(t.amount - coalesce(d.amount, 0)) as amount
    from transfers t
    left join drawn d on d.parent_id = t.transfer_id
    where t.kind = 'hold' and t.status = 'COMPLETED'
    group by 1
)
select w.wallet_id::text as at,
       format('its balance is %s, and %s is left of its holds', w.balance, coalesce(h.amount, 0)) as fault,
       false as pending
from wallets w
left join held h using (wallet_id)
where w.kind = 'hold' and w.balance <> coalesce(h.amount, 0);

-- name: nothing_is_overdrawn
-- title: No more was drawn on a transfer than it moved
-- checked: select count(distinct parent_id) from transfers where parent_id is not null and status = 'COMPLETED'
with drawn as (
    select parent_id, sum(amount) as amount from transfers where parent_id is not null and status = 'COMPLETED' group by 1
)
select d.parent_id::text as at,
       format('it moved %s, and %s was drawn on it', coalesce(t.amount, 0), d.amount) as fault,
       false as pending
from drawn d
left join transfers t on t.transfer_id = d.parent_id and t.status = 'COMPLETED'
where d.amount > coalesce(t.amount, 0);

-- name: draws_fit
-- title: A draw goes where the transfer that it draws on allows
-- checked: select count(*) from transfers where parent_id is not null and status = 'COMPLETED'
select c.transfer_id::text as at,
       format('a %s from wallet %s to %s does not fit %s %s', c.kind, c.source_wallet_id, c.destination_wallet_id,
              coalesce(t.kind, 'transfer'), c.parent_id) as fault,
       false as pending
from transfers c
left join transfers t on t.transfer_id = c.parent_id and t.status = 'COMPLETED'
left join wallets h on h.wallet_id = t.source_wallet_id
where c.parent_id is not null and c.status = 'COMPLETED' and not coalesce(
    c.source_wallet_id = t.destination_wallet_id and case
        when c.kind = 'capture' then t.kind = 'hold'
        when c.kind = 'void' then t.kind = 'hold' and c.destination_wallet_id = t.source_wallet_id
        when t.kind = 'capture' then c.destination_wallet_id = h.holds_of
        else t.kind is null and c.destination_wallet_id = t.source_wallet_id
    end, false);

-- name: hold_wallets_belong
-- title: A hold wallet is of its owner's, and only holds and what draws on them pass through it
-- checked: select count(*) from wallets where kind = 'hold'
select h.wallet_id::text as at, format('it is not of the owner and currency of wallet %s', h.holds_of) as fault,
       false as pending
from wallets h
left join wallets w on w.wallet_id = h.holds_of
where h.kind = 'hold' and (w.user_id is distinct from h.user_id or w.currency is distinct from h.currency)
union all
select t.transfer_id::text,
       format('a %s passes through a hold wallet', coalesce(t.kind, 'transfer')), false
from transfers t
join wallets s on s.wallet_id = t.source_wallet_id
join wallets d on d.wallet_id = t.destination_wallet_id
where t.status = 'COMPLETED' and (
    (s.kind = 'hold') <> coalesce(t.kind in ('capture', 'void'), false)
    or (d.kind = 'hold') <> coalesce(t.kind = 'hold', false)
    or (d.kind = 'hold' and d.holds_of <> t.source_wallet_id));
