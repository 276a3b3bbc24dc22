-- How many entries a wallet had at a moment, the second value: those up to it are stamped then or before, as far as the
-- stamps of a wallet follow one another. Searched in steps of powers of 16, so that the answer depends on nothing but
-- entries that never change: more entries behind it do not alter it. Five searches of the index for a million entries.
with recursive wallet as (
    select version from wallets where wallet_id = $1::uuid
),
search (width, reached) as (
    select max(1::bigint << 4 * step), 0::bigint
    from wallet, generate_series(0, 15) as step
    where step = 0 or 1::bigint << 4 * step <= version
    union all
    select s.width / 16, s.reached + s.width * counted.steps
    from search as s
    cross join wallet as w
    cross join lateral (select least(15, (w.version - s.reached) / s.width) as probes) as reach
    cross join lateral (
        select array_agg(uuid_hash_extended($1::uuid, (s.reached + k * s.width) / 64)) as wanted
        from generate_series(1, reach.probes) as k
    ) as keys
    cross join lateral (
        -- As many steps as there are before the first probe that is stamped later.
        -- Their times are looked at afterwards, for an index over times would find all that came later.
        with legs as materialized (
            select case when t.source_wallet_id = $1::uuid then t.source_version else t.destination_version end
                as version, t.completed_at
            from transfers as t
            where t.source_version is not null
                and array[
                    uuid_hash_extended(t.source_wallet_id, t.source_version / 64),
                    uuid_hash_extended(t.destination_wallet_id, t.destination_version / 64)
                ] && keys.wanted
                and (t.source_wallet_id = $1::uuid or t.destination_wallet_id = $1::uuid)
        )
        select coalesce((min(leg.version) - s.reached) / s.width - 1, reach.probes) as steps
        from legs as leg
        where leg.completed_at > $2::timestamptz
            and leg.version between s.reached + 1 and s.reached + reach.probes * s.width
            and (leg.version - s.reached) % s.width = 0
    ) as counted
    where s.width > 0
)
select reached as version from search where width = 0
