-- name: rows_have_one_outcome
-- title: A row has exactly one outcome record
-- checked: select count(*) from transfers
with found as (
    select transfer_id, count(*) as records from rc_outcome group by transfer_id
)
select t.transfer_id::text as at,
       format('%s outcome records for request %s-%s', coalesce(f.records, 0), t.request_partition,
              t.request_offset) as fault,
       f.records is null and t.request_offset >= coalesce(s.below, 0) as pending
from transfers t
left join found f using (transfer_id)
left join rc_settled s on s.stage = 'outcomes' and s.partition = t.request_partition
where f.records is distinct from 1;

-- name: outcomes_have_rows
-- title: An outcome was published only for a committed row
-- checked: select count(*) from rc_outcome
select format('%s-%s', o.partition, o."offset") as at, format('transfer %s has no row', o.transfer_id) as fault,
       false as pending
from rc_outcome o
left join transfers t using (transfer_id)
where t.transfer_id is null;

-- name: outcomes_equal_rows
-- title: An outcome record equals its row, field by field
-- checked: select count(*) from rc_outcome join transfers using (transfer_id)
select format('%s-%s', o.partition, o."offset") as at,
       format('transfer %s differs in: %s', o.transfer_id, array_to_string(d.wrong, ', ')) as fault,
       false as pending
from rc_outcome o
join transfers t using (transfer_id)
cross join lateral (
    select array_remove(array[
        case when o.partition <> t.request_partition then 'partition' end,
        case when o.record_key is distinct from t.source_wallet_id::text then 'key' end,
        case when o.source_offset <> t.request_offset then 'source-offset' end,
        case when o.source_wallet_id <> t.source_wallet_id then 'source_wallet_id' end,
        case when o.destination_wallet_id <> t.destination_wallet_id then 'destination_wallet_id' end,
        case when o.units <> t.amount * 10000 then 'amount' end,
        case when o.currency <> t.currency then 'currency' end,
        case when o.requested_at <> t.requested_at then 'requested_at' end,
        case when o.reference is distinct from t.reference then 'reference' end,
        case when o.metadata is distinct from t.metadata then 'metadata' end,
        case when o.kind is distinct from t.kind then 'kind' end,
        case when o.parent_id is distinct from t.parent_id then 'parent_id' end,
        case when o.expires_at is distinct from t.expires_at then 'expires_at' end,
        case when o.status <> t.status then 'status' end,
        case when o.reason is distinct from t.reason then 'reason' end,
        case when o.source_units is distinct from t.source_balance * 10000 then 'source_balance' end,
        case when o.source_version is distinct from t.source_version then 'source_version' end,
        case when o.destination_units is distinct from t.destination_balance * 10000 then 'destination_balance' end,
        case when o.destination_version is distinct from t.destination_version then 'destination_version' end,
        case when o.completed_at <> t.completed_at then 'completed_at' end
    ], null) as wrong
) d
where cardinality(d.wrong) > 0;
