-- How people want to be told of transfers, and where their programs are.

-- Who has no row is told of everything. minimums: by currency, the least amount that is told of, as decimal text.
create table notification_preferences (
    user_id uuid primary key references users on delete cascade,
    email_on boolean not null default true,
    webhook_on boolean not null default true,
    failures_on boolean not null default true,
    minimums jsonb not null default '{}' check (jsonb_typeof(minimums) = 'object'),
    updated_at timestamptz not null default now()
);

-- The secrets sign what is sent, so they are kept themselves, sealed with a key that the database does not know.
create table webhooks (
    user_id uuid primary key references users on delete cascade,
    url text not null check (length(url) <= 2048),
    secret_sealed bytea not null,
    previous_secret_sealed bytea,
    previous_until timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    check ((previous_secret_sealed is null) = (previous_until is null))
);
