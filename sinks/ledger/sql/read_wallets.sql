-- Wallets as they are committed, not locked: what is decided on them is checked by their versions when it is written.
select wallet_id::text, kind = 'world' as is_world, status = 'active' as is_active, status = 'closed' as is_closed,
       currency, (balance * 10000)::bigint as units, version
from wallets
where wallet_id = any($1::uuid[])
