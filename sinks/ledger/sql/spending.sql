-- What has left these wallets ($1) by ordinary transfers and holds, from minute $2 on (since 1970), for each minute.
-- A wallet's entries are read backwards, 64 versions at a time (the keys of the index on entries), up to one block that
-- lies wholly five minutes before: clocks of workers may differ by that.
with recursive blocks as (
    select w.wallet_id, w.version / 64 as block
    from wallets as w
    where w.wallet_id = any($1::uuid[])
    union all
    select b.wallet_id, b.block - 1
    from blocks as b
    cross join lateral (
        select max(t.completed_at) as latest
        from transfers as t
        where t.source_version is not null and array[
            uuid_hash_extended(t.source_wallet_id, t.source_version / 64),
            uuid_hash_extended(t.destination_wallet_id, t.destination_version / 64)
        ] && array[uuid_hash_extended(b.wallet_id, b.block)]
    ) as e
    where b.block > 0 and coalesce(e.latest, 'infinity') >= to_timestamp(($2::bigint - 5) * 60)
)
select b.wallet_id::text, floor(extract(epoch from t.completed_at) / 60)::bigint as minute,
       (sum(t.amount) * 10000)::bigint as units
from blocks as b
join transfers as t on t.source_version is not null and array[
    uuid_hash_extended(t.source_wallet_id, t.source_version / 64),
    uuid_hash_extended(t.destination_wallet_id, t.destination_version / 64)
] && array[uuid_hash_extended(b.wallet_id, b.block)]
where t.source_wallet_id = b.wallet_id and t.source_version / 64 = b.block
    and (t.kind is null or t.kind = 'hold') and t.completed_at >= to_timestamp($2::bigint * 60)
group by 1, 2
order by 1, 2
