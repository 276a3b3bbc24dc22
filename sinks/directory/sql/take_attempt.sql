-- Put one attempt into a bucket (the generic cell rate algorithm of ITU-T I.371): each keeps it filled for $2 seconds
-- longer, to $3 seconds at most. Says whether it went in, and if not, after how many seconds it would.
-- Sweeps up a bounded number of empty buckets.
with swept as (
    delete from attempts where key in (
        select key from attempts where due_at <= now() and key <> $1 order by due_at limit 10 for update skip locked
    )
), taken as (
    insert into attempts as a (key, due_at)
    values ($1, now() + $2::float8 * interval '1 second')
    on conflict (key) do update
    set due_at = greatest(a.due_at, now()) + $2::float8 * interval '1 second'
    where greatest(a.due_at, now()) + $2::float8 * interval '1 second' <= now() + $3::float8 * interval '1 second'
    returning key
)
select exists (select from taken) as is_taken,
       (select extract(epoch from due_at - now())::float8 + $2::float8 - $3::float8 from attempts where key = $1)
           as wait_s
