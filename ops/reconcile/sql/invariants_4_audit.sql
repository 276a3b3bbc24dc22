-- name: outcomes_have_one_audit_record
-- title: An outcome has exactly one audit record
-- checked: select count(*) from rc_outcome
with found as (
    select partition, outcome_offset, count(*) as records from rc_audit group by partition, outcome_offset
)
select format('%s-%s', o.partition, o."offset") as at,
       format('transfer %s has %s audit records', o.transfer_id, coalesce(f.records, 0)) as fault,
       f.records is null and o."offset" >= s.below as pending
from rc_outcome o
left join found f on f.partition = o.partition and f.outcome_offset = o."offset"
join rc_settled s on s.stage = 'audit' and s.partition = o.partition
where f.records is distinct from 1;

-- name: audit_records_equal_outcomes
-- title: An audit record equals its outcome, field by field
-- checked: select count(*) from rc_audit
select format('%s-%s', a.partition, a."offset") as at,
       case when o.partition is null then format('transfer %s: there is no outcome %s-%s', a.transfer_id,
                                                 a.partition, a.outcome_offset)
            when a.source_offset <> a.outcome_offset then format('transfer %s: source-offset is %s, outcome_offset %s',
                                                                 a.transfer_id, a.source_offset, a.outcome_offset)
            when a.record_key is distinct from o.record_key then format('transfer %s: another key than outcome %s-%s',
                                                                        a.transfer_id, o.partition, o."offset")
            else format('transfer %s: other content than outcome %s-%s', a.transfer_id,
                        o.partition, o."offset") end as fault,
       false as pending
from rc_audit a
left join rc_outcome o on o.partition = a.partition and o."offset" = a.outcome_offset
where o.partition is null
   or a.source_offset <> a.outcome_offset
   or a.record_key is distinct from o.record_key
   or a.digest <> o.digest;
