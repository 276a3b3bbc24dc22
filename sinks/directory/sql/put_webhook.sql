-- A webhook at this URL: a new one with this secret, or the one that is there, which keeps its own.
insert into webhooks as w (user_id, url, secret_sealed)
values ($1::uuid, $2, $3)
on conflict (user_id) do update set url = excluded.url, updated_at = now()
returning url, case when previous_until > now() then previous_until end as previous_secret_until, created_at,
    updated_at, secret_sealed = $3 as is_new
