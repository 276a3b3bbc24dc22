-- Logins that can be renewed and revoked, and how often somebody has tried to log in or to register of late.

-- Goes up when all sessions of the account must end: after another password, or when somebody asks for it.
alter table users add column session_epoch bigint not null default 0;

-- One login and all refresh tokens that follow from it: RFC 9700 calls it their family. Only the newest token is good,
-- and only its SHA-256 is here.
create table sessions (
    session_id uuid primary key,
    user_id uuid not null references users on delete cascade,
    session_epoch bigint not null,
    token_hash bytea not null check (octet_length(token_hash) = 32),
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    revoked_at timestamptz
);

create index sessions_user on sessions (user_id, created_at);
create index sessions_expiry on sessions (expires_at);

-- Buckets that drain at a steady rate, one for each thing that is counted; the key is a keyed hash of it. A bucket is
-- empty from due_at on. Unlogged, for what is lost with a crash is a few minutes of memory.
create unlogged table attempts (
    key bytea primary key check (octet_length(key) = 32),
    due_at timestamptz not null
);

create index attempts_due on attempts (due_at);
