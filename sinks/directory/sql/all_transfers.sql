-- Transfers from a place on, each with whether it passes the filters.
with examined as (
    select * from transfers as t
    where t.completed_at >= $4::timestamptz and t.completed_at < $5::timestamptz
        and (t.completed_at, t.transfer_id) {onwards} ($10::timestamptz, $11::uuid)
        and ($12::boolean or t.transfer_id <> $11::uuid)
    order by t.completed_at {order}, t.transfer_id {order}
    limit $13
)
select {filters} as passes, {columns}
from examined as t
{owners}
order by t.completed_at {order}, t.transfer_id {order}
