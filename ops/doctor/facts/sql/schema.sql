select n.nspname as schema,
       has_schema_privilege(n.oid, 'usage') as may_use,
       has_table_privilege(c.oid, 'select') as may_read
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relname = 'schema_migrations' and c.relkind = 'r'
order by n.nspname = any(current_schemas(false)) desc
limit 1
