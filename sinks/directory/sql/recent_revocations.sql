-- The newest of what ended access within the last $1 seconds.
select subject::text, epoch_min
from revocations
where revoked_at > now() - $1::float8 * interval '1 second'
order by revoked_at desc
limit $2
