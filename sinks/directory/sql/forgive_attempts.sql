-- After a success: empty the buckets of $1, take one attempt of $3 seconds out of $2, and let the mark $4 stand for
-- another $5 seconds. No key may be given twice.
with emptied as (
    delete from attempts where key = any($1::bytea[])
), given_back as (
    update attempts set due_at = due_at - $3::float8 * interval '1 second' where key = $2
)
insert into attempts (key, due_at)
values ($4, now() + $5::float8 * interval '1 second')
on conflict (key) do update set due_at = excluded.due_at
