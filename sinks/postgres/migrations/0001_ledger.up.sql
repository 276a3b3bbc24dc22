-- Users, wallets, the one-row ledger and the progress of its input topic.

create table users (
    user_id uuid primary key default gen_random_uuid(),
    email text not null,
    password_hash text not null,
    status text not null default 'active' check (status in ('active', 'disabled')),
    role text not null default 'user' check (role in ('user', 'admin')),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create unique index users_email on users (lower(email));

-- Room on each page keeps balance updates on it (HOT): no index holds balance or version.
create table wallets (
    wallet_id uuid primary key default gen_random_uuid(),
    user_id uuid references users,
    kind text not null default 'user' check (kind in ('user', 'world')),
    currency char(3) not null,
    balance numeric(18, 4) not null default 0,
    version bigint not null default 0 check (version >= 0),
    status text not null default 'active' check (status in ('active', 'frozen', 'closed')),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    check ((kind = 'user') = (user_id is not null)),
    check (kind = 'world' or balance >= 0)
) with (fillfactor = 70);

create unique index wallets_user_currency on wallets (user_id, currency) where kind = 'user';
create unique index wallets_world_currency on wallets (currency) where kind = 'world';

-- Both legs of a transfer in one row. A failed transfer has a reason and no balances or versions.
create table transfers (
    transfer_id uuid primary key,
    source_wallet_id uuid not null,
    destination_wallet_id uuid not null,
    amount numeric(18, 4) not null check (amount > 0),
    currency char(3) not null,
    status text not null,
    reason text,
    source_balance numeric(18, 4),
    source_version bigint,
    destination_balance numeric(18, 4),
    destination_version bigint,
    requested_at timestamptz not null,
    completed_at timestamptz not null,
    reference text,
    metadata jsonb,
    request_partition integer not null,
    request_offset bigint not null,
    check (
        (status = 'COMPLETED' and reason is null and source_version is not null and destination_version is not null
            and source_balance is not null and destination_balance is not null)
        or (status = 'FAILED' and reason is not null and source_version is null and destination_version is null
            and source_balance is null and destination_balance is null)
    )
);

-- A wallet's history in order, and a second guard against two legs of one version.
create unique index transfers_source_entries on transfers (source_wallet_id, source_version)
    where source_version is not null;
create unique index transfers_destination_entries on transfers (destination_wallet_id, destination_version)
    where destination_version is not null;

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end
$$;

create trigger transfers_append_only before update or delete or truncate on transfers
    for each statement execute function refuse_change();

create view entries as
select source_wallet_id as wallet_id, source_version as version, transfer_id, -amount as amount,
       source_balance as balance, destination_wallet_id as counterparty_wallet_id, currency, reference, completed_at
from transfers where source_version is not null
union all
select destination_wallet_id, destination_version, transfer_id, amount,
       destination_balance, source_wallet_id, currency, reference, completed_at
from transfers where destination_version is not null;

-- How far each partition of the request topic has been applied; moved in the transaction that applies.
create table stream_progress (
    topic text not null,
    partition integer not null,
    next_offset bigint not null,
    updated_at timestamptz not null default now(),
    primary key (topic, partition)
) with (fillfactor = 50);
