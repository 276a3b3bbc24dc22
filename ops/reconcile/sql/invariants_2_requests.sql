-- name: requests_are_applied
-- title: Requests on the topic are applied
-- checked: select count(*) from rc_request
select format('%s-%s', r.partition, r."offset") as at,
       format('transfer %s waits: the progress stands at %s',
              coalesce(r.transfer_id::text, '(unreadable)'), coalesce(p.next_offset, 0)) as fault,
       r."offset" >= s.below as pending
from rc_request r
left join rc_progress p using (partition)
join rc_settled s on s.stage = 'requests' and s.partition = r.partition
where r."offset" >= coalesce(p.next_offset, 0);

-- name: requests_have_one_answer
-- title: An applied request has exactly one row or one dead letter
-- checked: select count(*) from rc_request r join rc_progress p using (partition) where r."offset" < p.next_offset
with dead as (
    select source_partition, source_offset, count(*) as letters, min(cause) as cause
    from rc_dead_letter
    group by source_partition, source_offset
), answered as (
    select r.partition, r."offset", r.transfer_id, r.cause, d.letters, d.cause as dead_cause,
           t.transfer_id is not null as stored,
           t.request_partition = r.partition and t.request_offset = r."offset" as own,
           t.request_partition <> r.partition or t.request_offset > r."offset" as made_later,
           t.source_wallet_id = r.source_wallet_id and t.destination_wallet_id = r.destination_wallet_id
               and t.amount * 10000 = r.units and t.currency = r.currency
               and t.reference is not distinct from r.reference
               and t.metadata is not distinct from r.metadata
               and (t.kind, t.parent_id, t.expires_at) is not distinct from (r.kind, r.parent_id, r.expires_at)
               as same_content
    from rc_request r
    join rc_progress p on p.partition = r.partition and r."offset" < p.next_offset
    left join transfers t on t.transfer_id = r.transfer_id and r.cause is null
    left join dead d on d.source_partition = r.partition and d.source_offset = r."offset"
), expected as (
    select *,
           case when cause is not null then cause
                when not stored then 'unprocessable'
                when own or same_content then null
                else 'transfer_id_reused' end as dead_cause_due
    from answered
)
select format('%s-%s', e.partition, e."offset") as at,
       format('transfer %s: %s, %s', coalesce(e.transfer_id::text, '(unreadable)'),
              case when e.own then 'its row' when e.stored then 'a row made by another request' else 'no row' end,
              case when e.letters is null and e.dead_cause_due is null then 'no dead letter'
                   when e.letters is null then 'no dead letter ' || e.dead_cause_due
                   else format('%s dead letter(s) %s', e.letters, e.dead_cause) end) as fault,
       e.letters is null and e."offset" >= s.below as pending
from expected e
join rc_settled s on s.stage = 'dead_letters' and s.partition = e.partition
where case
           -- Which keys were known when it was read stands nowhere, so a letter that says so is taken at its word; but
           -- what has its own row was good.
           when e.cause is null and e.dead_cause in ('unsigned_request', 'invalid_signature')
                then e.letters <> 1 or coalesce(e.own, false)
           -- What the ledger once refused went through when it was put back, or sent again.
           when e.dead_cause_due is null and e.made_later and e.dead_cause = 'unprocessable' then e.letters <> 1
           when e.dead_cause_due is null then e.letters is not null
           else e.letters is distinct from 1
                or e.dead_cause not in (e.dead_cause_due, 'unprocessable') end;

-- name: rows_equal_requests
-- title: A row is what its request asked for
-- checked: select count(*) from transfers t join rc_span s on s.role = 'requests' and s.partition = t.request_partition where t.request_offset >= s.begin_offset and t.request_offset < s.end_offset
select t.transfer_id::text as at,
       format('differs from request %s-%s in: %s', t.request_partition, t.request_offset,
              array_to_string(d.wrong, ', ')) as fault,
       false as pending
from transfers t
join rc_span s on s.role = 'requests' and s.partition = t.request_partition
left join rc_request r on r.partition = t.request_partition and r."offset" = t.request_offset
cross join lateral (
    select array_remove(array[
        case when r.partition is null then 'there is no such request' end,
        case when r.cause is not null then 'the request is ' || r.cause end,
        case when r.transfer_id <> t.transfer_id then 'transfer_id' end,
        case when r.source_wallet_id <> t.source_wallet_id then 'source_wallet_id' end,
        case when r.destination_wallet_id <> t.destination_wallet_id then 'destination_wallet_id' end,
        case when r.units <> t.amount * 10000 then 'amount' end,
        case when r.currency <> t.currency then 'currency' end,
        case when r.requested_at <> t.requested_at then 'requested_at' end,
        case when r.cause is null and r.partition is not null
                  and r.reference is distinct from t.reference then 'reference' end,
        case when r.cause is null and r.partition is not null
                  and r.metadata is distinct from t.metadata then 'metadata' end,
        case when r.cause is null and r.partition is not null
                  and r.kind is distinct from t.kind then 'kind' end,
        case when r.cause is null and r.partition is not null
                  and r.parent_id is distinct from t.parent_id then 'parent_id' end,
        case when r.cause is null and r.partition is not null
                  and r.expires_at is distinct from t.expires_at then 'expires_at' end
    ], null) as wrong
) d
where t.request_offset >= s.begin_offset and t.request_offset < s.end_offset and cardinality(d.wrong) > 0;

-- name: rows_have_partitions
-- title: A row names a partition of the request topic
-- checked: select count(*) from transfers
select t.transfer_id::text as at,
       format('its request is on partition %s, which the topic does not have', t.request_partition) as fault,
       false as pending
from transfers t
left join rc_span s on s.role = 'requests' and s.partition = t.request_partition
where s.partition is null;

-- name: dead_letters_have_requests
-- title: A dead letter is an applied request, its bytes untouched
-- checked: select count(*) from rc_dead_letter
select format('%s-%s', d.partition, d."offset") as at,
       case when s.partition is null or d.source_offset >= coalesce(p.next_offset, 0)
                then format('request %s-%s is not applied', d.source_partition, d.source_offset)
            when d.partition <> d.source_partition then 'is on another partition than its request'
            when r.partition is null
                then format('there is no request %s-%s', d.source_partition, d.source_offset)
            else format('its bytes are not those of request %s-%s', d.source_partition, d.source_offset) end as fault,
       false as pending
from rc_dead_letter d
left join rc_span s on s.role = 'requests' and s.partition = d.source_partition
left join rc_progress p on p.partition = d.source_partition
left join rc_request r on r.partition = d.source_partition and r."offset" = d.source_offset
where s.partition is null
   or d.source_offset >= coalesce(p.next_offset, 0)
   or d.partition <> d.source_partition
   or (r.partition is null and d.source_offset >= s.begin_offset and d.source_offset < s.end_offset)
   or r.digest <> d.digest;
