select digest_id from deliveries
where status = 'pending' and digest_id is not null and due_at <= now()
order by due_at
limit 1
