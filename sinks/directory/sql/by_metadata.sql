-- How many transfers have this metadata, counted up to a limit, and those of them that pass the filters. Of some
-- wallets alone, or of all where none are given.
with found as materialized (
    select t.* from transfers as t
    where t.metadata is not null and t.metadata @> $9::jsonb
    limit $11
)
select counted.candidates, {columns}
from (select count(*) as candidates from found) as counted
left join found as t
    on (
        $10::uuid[] is null or t.source_wallet_id = any($10::uuid[])
        or t.status = 'COMPLETED' and t.destination_wallet_id = any($10::uuid[])
    )
    and {filters}
{owners}
