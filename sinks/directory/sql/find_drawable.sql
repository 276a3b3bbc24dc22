-- A transfer that others may draw on: what was drawn, by kind, and where its money came from and went to. payer_wallet_id
-- is the source, or the wallet of which a capture's money had been held.
select t.transfer_id::text, t.kind, t.status, t.reason, t.source_wallet_id::text, t.destination_wallet_id::text,
       coalesce(s.holds_of, t.source_wallet_id)::text as payer_wallet_id, t.amount::text, t.currency,
       d.captured::text, d.voided::text, d.reversed::text,
       (t.amount - d.captured - d.voided - d.reversed)::text as remaining,
       t.reference, t.metadata::text, t.expires_at, t.requested_at, t.completed_at,
       t.expires_at <= now() as is_expired, t.destination_version,
       s.user_id::text as source_user_id, o.user_id::text as destination_user_id
from transfers as t
left join wallets as s on s.wallet_id = t.source_wallet_id
left join wallets as o on o.wallet_id = t.destination_wallet_id
cross join lateral (
    select coalesce(sum(c.amount) filter (where c.kind = 'capture'), 0.0000) as captured,
           coalesce(sum(c.amount) filter (where c.kind = 'void'), 0.0000) as voided,
           coalesce(sum(c.amount) filter (where c.kind = 'reversal'), 0.0000) as reversed
    from transfers as c
    where c.parent_id = t.transfer_id and c.status = 'COMPLETED'
) as d
where t.transfer_id = $1::uuid
