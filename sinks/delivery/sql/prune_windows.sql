delete from email_windows where ctid = any (array(
    select ctid from email_windows where started_at + $1::interval < now() limit $2 for update skip locked
))
returning 1
