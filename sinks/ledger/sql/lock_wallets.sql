-- The wallets a batch touches, locked until its end. Destinations are shared between partitions, and every batch
-- locks in the order of ids: two batches wait for each other in turn, never in a circle.
select wallet_id::text, kind = 'world' as is_world, status = 'active' as is_active, status = 'closed' as is_closed,
       currency, (balance * 10000)::bigint as units, version,
       case when terms > 0 or kind = 'hold' then
           array[terms, (kind = 'hold')::integer, (transfer_max * 10000)::bigint, (day_max * 10000)::bigint]
       end as terms
from wallets
where wallet_id = any($1::uuid[])
order by wallet_id
for no key update
