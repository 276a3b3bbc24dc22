-- Failed transfers out of some wallets from a place on, each with whether it passes the filters.
with examined as (
    select f.*
    from unnest($10::uuid[]) as own (wallet_id)
    cross join lateral (
        select * from transfers as t
        where t.status = 'FAILED' and t.source_wallet_id = own.wallet_id
            and t.completed_at >= $4::timestamptz and t.completed_at < $5::timestamptz
            and (t.completed_at, t.transfer_id) {onwards} ($11::timestamptz, $12::uuid)
            and ($13::boolean or t.transfer_id <> $12::uuid)
        order by t.completed_at {order}, t.transfer_id {order}
        limit $14
    ) as f
    order by f.completed_at {order}, f.transfer_id {order}
    limit $14
)
select {filters} as passes, {columns}
from examined as t
{owners}
order by t.completed_at {order}, t.transfer_id {order}
