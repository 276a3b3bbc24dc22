-- Who holds the lock of try_lock.sql. pg_locks shows both of its numbers without their sign.
select l.pid, a.backend_start
from pg_locks l
join pg_stat_activity a on a.pid = l.pid
where l.locktype = 'advisory' and l.granted and l.objsubid = 2 and a.datname = current_database()
  and l.classid::bigint = 1684828525 and l.objid::bigint = hashtext($1)::bigint & 4294967295
