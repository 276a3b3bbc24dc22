-- Worker processes, each by its own hand: a row is renewed every 5 s, taken away by a process that ends in order, and by
-- the others once nobody has renewed it for an hour. Unlogged, for after a crash whoever lives writes its row anew.
create unlogged table workers (
    worker_id text primary key,
    agents text[] not null,
    host text not null,
    pid integer not null,
    version text not null,
    started_at timestamptz not null,
    seen_at timestamptz not null default now(),
    memory_bytes bigint,
    -- The partitions of each agent, and what the process has counted since its start.
    assigned jsonb not null,
    figures jsonb not null
) with (fillfactor = 50);
