-- A wallet made only after its transfer had failed for want of it may or may not have been told about. An outcome that
-- was published anew, after the loss of its topic, tells nobody again. Money that is held, or no longer so, stays with
-- one person, who is told once.

-- name: parties_are_told_once
-- title: Sender and receiver are each told exactly once
-- checked: select count(*) from rc_outcome o join wallets w on w.wallet_id = o.source_wallet_id or (w.wallet_id = o.destination_wallet_id and o.status = 'COMPLETED' and coalesce(o.kind, '') not in ('hold', 'void')) where w.user_id is not null and not o.republished
with outcome as (
    select distinct on (transfer_id) * from rc_outcome where not republished order by transfer_id, "offset"
), due as (
    select o.partition, o."offset", o.transfer_id, 'sender' as recipient
    from outcome o
    join wallets w on w.wallet_id = o.source_wallet_id
    where w.user_id is not null and not (o.reason is not distinct from 'wallet_not_found' and w.created_at > o.completed_at)
    union all
    select o.partition, o."offset", o.transfer_id, 'receiver'
    from outcome o
    join wallets w on w.wallet_id = o.destination_wallet_id
    where w.user_id is not null and o.status = 'COMPLETED' and coalesce(o.kind, '') not in ('hold', 'void')
), found as (
    select transfer_id, recipient, count(*) as records from rc_notification group by transfer_id, recipient
)
select format('outcome %s-%s', d.partition, d."offset") as at,
       format('transfer %s: %s notifications to the %s', d.transfer_id, coalesce(f.records, 0), d.recipient) as fault,
       f.records is null and d."offset" >= s.below as pending
from due d
left join found f using (transfer_id, recipient)
join rc_settled s on s.stage = 'notifications' and s.partition = d.partition
where f.records is distinct from 1;

-- name: notifications_are_true
-- title: A notification says what its outcome says, to a party of it
-- checked: select count(*) from rc_notification
select format('%s-%s', n.partition, n."offset") as at,
       format('transfer %s, to the %s: %s', n.transfer_id, n.recipient, array_to_string(d.wrong, ', ')) as fault,
       false as pending
from rc_notification n
left join rc_outcome o on o.partition = n.partition and o."offset" = n.source_offset
                          and o.transfer_id = n.transfer_id
left join wallets w on w.wallet_id = n.wallet_id
left join users u on u.user_id = w.user_id
cross join lateral (
    select case when o.transfer_id is null then array['it has no such outcome']
                else array_remove(array[
        case when n.record_key is distinct from o.record_key then 'key differs' end,
        case when n.recipient not in ('sender', 'receiver') then 'no such recipient' end,
        case when n.recipient = 'receiver' and o.status <> 'COMPLETED' then 'a receiver is told of COMPLETED only' end,
        case when n.wallet_id <> case n.recipient when 'sender' then o.source_wallet_id
                                 else o.destination_wallet_id end then 'wallet_id differs' end,
        case when w.user_id is distinct from n.user_id then 'user_id is not the owner' end,
        -- The address may have been changed since.
        case when u.email <> n.email and u.updated_at <= n.completed_at then 'email is not the owner''s' end,
        case when n.status <> o.status then 'status differs' end,
        case when n.reason is distinct from o.reason then 'reason differs' end,
        case when n.units <> o.units then 'amount differs' end,
        case when n.currency <> o.currency then 'currency differs' end,
        case when coalesce(n.reference, '') <> coalesce(o.reference, '') then 'reference differs' end,
        case when n.kind is distinct from o.kind then 'kind differs' end,
        case when n.completed_at <> o.completed_at then 'completed_at differs' end
    ], null) end as wrong
) d
where cardinality(d.wrong) > 0;
