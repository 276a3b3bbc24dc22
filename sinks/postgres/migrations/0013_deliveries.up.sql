-- What is to be told to whom, on which channel, and what became of it.

-- A row that is pending is due at due_at: to be tried, or, where a try is under way, to be taken for cut off. One that
-- is delivered goes an hour later; one that failed is a dead letter, kept for whoever looks after it.
-- notification: the bytes of its record on the topic. digest_id: the message that tells it together with others.
create table deliveries (
    transfer_id uuid not null,
    recipient text not null check (recipient in ('sender', 'receiver')),
    channel text not null check (channel in ('email', 'webhook')),
    user_id uuid not null,
    status text not null default 'pending' check (status in ('pending', 'delivered', 'failed')),
    attempts smallint not null default 0,
    due_at timestamptz not null default now(),
    tried_at timestamptz,
    digest_id uuid,
    last_error text,
    notification bytea not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (transfer_id, recipient, channel)
) with (fillfactor = 80);

-- Read and written like a queue: the statistics of a quiet hour must not keep vacuum away.
alter table deliveries set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

create index deliveries_due on deliveries (channel, due_at) where status = 'pending' and digest_id is null;
create index deliveries_digests_due on deliveries (due_at) where status = 'pending' and digest_id is not null;
create index deliveries_digests on deliveries (digest_id) where status = 'pending' and digest_id is not null;
create index deliveries_ended on deliveries (status, updated_at) where status <> 'pending';
create index deliveries_of_user on deliveries (user_id, created_at desc, transfer_id);

-- How many e-mails each person was sent since the beginning of a window.
create table email_windows (
    user_id uuid primary key,
    started_at timestamptz not null,
    taken integer not null
) with (fillfactor = 50);
