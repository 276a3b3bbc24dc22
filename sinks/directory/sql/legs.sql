-- The transfers behind a wallet's entries from one version to another that pass the filters, the newest first. Those
-- that come out of one of the last wallets are left out: they are found with that one.
with keys as (
    select array_agg(uuid_hash_extended($10::uuid, block)) as wanted
    from generate_series($11::bigint / 64, $12::bigint / 64) as block
),
found as materialized (
    select t.*, case when t.source_wallet_id = $10::uuid then t.source_version else t.destination_version end as version
    from transfers as t
    where t.source_version is not null
        and array[
            uuid_hash_extended(t.source_wallet_id, t.source_version / 64),
            uuid_hash_extended(t.destination_wallet_id, t.destination_version / 64)
        ] && (select wanted from keys)
        and (
            t.source_wallet_id = $10::uuid and t.source_version between $11::bigint and $12::bigint
            or t.destination_wallet_id = $10::uuid and t.destination_version between $11::bigint and $12::bigint
                and t.source_wallet_id <> all($13::uuid[])
        )
)
select t.version, {columns}
from found as t
{owners}
where {filters}
order by t.version desc
