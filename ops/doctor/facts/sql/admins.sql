select count(*) from users where role = 'admin' and status = 'active'
