select current_setting('server_version_num')::int as version,
       current_setting('server_version') as version_text,
       current_setting('fsync') as fsync,
       current_setting('full_page_writes') as full_page_writes,
       current_setting('synchronous_commit') as synchronous_commit,
       current_setting('default_transaction_read_only') as default_read_only,
       pg_is_in_recovery() as in_recovery,
       current_setting('server_encoding') as encoding,
       current_setting('max_connections')::int
           - current_setting('superuser_reserved_connections')::int
           - coalesce(current_setting('reserved_connections', true), '0')::int as connections_max,
       (select sum(numbackends) from pg_stat_database)::int as connections,
       -- Ours are those of the API and the workers: they come with the name that they give themselves.
       (select count(*) from pg_stat_activity
        where application_name = 'hfts' and usename = current_user and pid <> pg_backend_pid())::int
           as connections_ours,
       (select rolconnlimit from pg_roles where rolname = current_user) as role_limit,
       (select datconnlimit from pg_database where datname = current_database()) as database_limit
