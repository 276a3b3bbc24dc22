-- A wallet's newest entries below a version. Versions have no gaps, so the page's are known, and the keys of the index
-- on entries with them: a page costs the same however long the history is.
with page as (
    select greatest(0, least($2, version + 1) - $3) as first, least($2, version + 1) - 1 as last
    from wallets where wallet_id = $1::uuid
),
keys as (
    select array_agg(uuid_hash_extended($1::uuid, block)) as wanted
    from page, generate_series(first / 64, last / 64) as block
),
found as materialized (
    select t.* from transfers as t
    where t.source_version is not null
        and array[
            uuid_hash_extended(t.source_wallet_id, t.source_version / 64),
            uuid_hash_extended(t.destination_wallet_id, t.destination_version / 64)
        ] && (select wanted from keys)
)
select transfer_id::text, source_version as version, (-amount)::text as amount, source_balance::text as balance,
       currency, destination_wallet_id::text as counterparty_wallet_id, reference, completed_at
from found, page
where source_wallet_id = $1::uuid and source_version between first and last
union all
select transfer_id::text, destination_version, amount::text, destination_balance::text,
       currency, source_wallet_id::text, reference, completed_at
from found, page
where destination_wallet_id = $1::uuid and destination_version between first and last
order by version desc
