-- Results older than $2 go, at most $3 at a time.
delete from deliveries where ctid = any (array(
    select ctid from deliveries where status = $1 and updated_at < now() - $2::interval
    order by updated_at limit $3 for update skip locked
))
returning 1
