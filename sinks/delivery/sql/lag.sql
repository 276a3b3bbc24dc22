-- For how long the oldest delivery of a channel has been due and nobody has begun with it; a digest's included.
select greatest(0, extract(epoch from now() - least(
    (select due_at from deliveries where status = 'pending' and digest_id is null and channel = $1 order by due_at limit 1),
    (select due_at from deliveries where status = 'pending' and digest_id is not null and $1 = 'email' order by due_at limit 1)
)))::float8
