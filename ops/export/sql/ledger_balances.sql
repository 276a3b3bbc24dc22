-- What the ledger says each wallet held at $1: the balance of its highest entry made by then. $2 names one wallet, or none.
with reached as (
    select wallet_id, max(version) as version
    from entries
    where completed_at <= $1::timestamptz and ($2::uuid is null or wallet_id = $2::uuid)
    group by wallet_id
)
select e.wallet_id::text as wallet_id, e.version, e.balance::text as balance
from entries as e
join reached as r on r.wallet_id = e.wallet_id and r.version = e.version
where $2::uuid is null or e.wallet_id = $2::uuid
