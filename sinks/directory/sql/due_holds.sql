-- Holds that have come to their end, at $1 or later, and of which something is left. It takes some 3.5 µs for each that
-- was to end since then, whatever became of it. How many draws there were, failed ones too, sets the next attempt apart
-- from the last one. After one that failed it waits for a minute, unless another draw has come between, which leaves less
-- to give back; while the hold wallet is not active it waits. Those that wait are left out, so that they are in nobody's
-- way, unless asked for ($3).
select t.transfer_id::text, t.source_wallet_id::text, t.destination_wallet_id::text, t.currency, t.expires_at,
       (t.amount - d.drawn)::text as remaining, d.draws
from transfers as t
join wallets as w on w.wallet_id = t.destination_wallet_id
cross join lateral (
    select coalesce(sum(c.amount) filter (where c.status = 'COMPLETED'), 0) as drawn, count(*) as draws,
           coalesce(max(c.completed_at) filter (
               where c.status = 'FAILED' and c.kind = 'void' and c.reason <> 'amount_exceeds_remaining'
           ), '-infinity') as failed_at
    from transfers as c
    where c.parent_id = t.transfer_id
) as d
where t.parent_id is null and t.expires_at >= $1 and t.expires_at <= now() and t.status = 'COMPLETED'
    and t.amount > d.drawn and ($3 or w.status = 'active' and d.failed_at < now() - interval '1 minute')
order by t.expires_at
limit $2
