-- A worker writes its row every 5 s.
select worker_id, host, version from workers where seen_at > now() - interval '15 s' order by worker_id
