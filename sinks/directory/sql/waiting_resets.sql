-- Who waits for a token, those who have waited for longest first.
select user_id::text, email, requested_at
from password_resets
join users using (user_id)
where reset_id is null and status = 'active'
order by requested_at
limit $1
