-- name: currencies_sum_to_zero
-- title: All balances of a currency sum to zero
-- checked: select count(distinct currency) from wallets
select currency::text as at, format('the balances sum to %s', sum(balance)) as fault, false as pending
from wallets
group by currency
having sum(balance) <> 0;

-- name: only_world_below_zero
-- title: Only world wallets are below zero
-- checked: select count(*) from wallets
select wallet_id::text as at, format('%s wallet holds %s %s', kind, balance, currency) as fault, false as pending
from wallets
where balance < 0 and kind <> 'world';

-- name: balances_are_sums
-- title: A balance is the sum of the wallet's entries, its version their count
-- checked: select count(*) from wallets
with sums as (
    select wallet_id, sum(amount) as total, count(*) as legs
    from entries
    group by wallet_id
)
select w.wallet_id::text as at,
       format('balance %s at version %s, but %s entries sum to %s',
              w.balance, w.version, coalesce(s.legs, 0), coalesce(s.total, 0)) as fault,
       false as pending
from wallets w
left join sums s using (wallet_id)
where w.balance <> coalesce(s.total, 0) or w.version <> coalesce(s.legs, 0);

-- name: versions_are_contiguous
-- title: Versions run 1..n without a gap, each balance follows from the one before
-- checked: select count(*) from entries
with numbered as (
    select wallet_id, version, balance, transfer_id,
           row_number() over history as version_due,
           coalesce(lag(balance) over history, 0) + amount as balance_due
    from entries
    window history as (partition by wallet_id order by version)
)
select wallet_id::text as at,
       format('transfer %s left version %s (%s is due) and balance %s (%s is due)',
              transfer_id, version, version_due, balance, balance_due) as fault,
       false as pending
from numbered
where version <> version_due or balance <> balance_due;

-- name: entries_fit_wallets
-- title: An entry's wallet exists and holds its currency
-- checked: select count(*) from entries
select e.transfer_id::text as at,
       case when w.wallet_id is null then format('wallet %s does not exist', e.wallet_id)
            else format('%s moved on wallet %s of %s', e.currency, e.wallet_id, w.currency) end as fault,
       false as pending
from entries e
left join wallets w using (wallet_id)
where w.currency is distinct from e.currency;

-- name: one_row_an_offset
-- title: A request made at most one row, and the progress covers it
-- checked: select count(*) from transfers
select format('request %s-%s', t.request_partition, t.request_offset) as at,
       case when count(*) > 1 then format('%s rows: %s and %s', count(*), min(t.transfer_id::text),
                                          max(t.transfer_id::text))
            else format('transfer %s is stored, but the progress stands at %s',
                        min(t.transfer_id::text), coalesce(min(p.next_offset), 0)) end as fault,
       false as pending
from transfers t
left join rc_progress p on p.partition = t.request_partition
group by t.request_partition, t.request_offset
having count(*) > 1 or t.request_offset >= coalesce(min(p.next_offset), 0);
