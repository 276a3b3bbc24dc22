-- Of the tables and views beside schema_migrations; views are read only.
select c.relname as name, lower(privilege) as privilege
from pg_class c
cross join unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) as privilege
where c.relnamespace = (select relnamespace from pg_class where oid = 'schema_migrations'::regclass)
  and c.relkind in ('r', 'p', 'v')
  and (c.relkind <> 'v' or privilege = 'SELECT')
  and not has_table_privilege(c.oid, privilege)
order by name, privilege
