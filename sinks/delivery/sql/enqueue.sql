insert into deliveries (transfer_id, recipient, channel, user_id, notification)
select * from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::bytea[])
on conflict do nothing
