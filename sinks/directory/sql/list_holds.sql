-- The holds of a hold wallet ($1) from a version ($5) to before another ($2), the newest first: all, or ($4) the open ones.
select t.transfer_id::text, t.kind, t.status, t.reason, t.source_wallet_id::text, t.destination_wallet_id::text,
       t.source_wallet_id::text as payer_wallet_id, t.amount::text, t.currency,
       d.captured::text, d.voided::text, '0.0000' as reversed, (t.amount - d.captured - d.voided)::text as remaining,
       t.reference, t.metadata::text, t.expires_at, t.requested_at, t.completed_at,
       t.expires_at <= now() as is_expired, t.destination_version,
       null as source_user_id, null as destination_user_id
from transfers as t
cross join lateral (
    select coalesce(sum(c.amount) filter (where c.kind = 'capture'), 0.0000) as captured,
           coalesce(sum(c.amount) filter (where c.kind = 'void'), 0.0000) as voided
    from transfers as c
    where c.parent_id = t.transfer_id and c.status = 'COMPLETED'
) as d
where t.destination_wallet_id = $1::uuid and t.kind = 'hold' and t.destination_version >= $5 and t.destination_version < $2
    and (not $4 or t.amount > d.captured + d.voided)
order by t.destination_version desc
limit $3
