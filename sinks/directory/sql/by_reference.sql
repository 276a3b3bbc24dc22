-- How many transfers have this reference, counted up to a limit, and those of them that pass the filters. Of some
-- wallets alone, or of all where none are given.
with found as materialized (
    select t.* from transfers as t
    where t.reference is not null and hashtextextended(t.reference, 0) = hashtextextended($8::text, 0)
        and t.reference = $8::text
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
