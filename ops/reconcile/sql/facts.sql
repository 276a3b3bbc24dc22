-- What stands on the topics, as temporary tables of this connection. Amounts are whole units of 0.0001.

create temporary table rc_span (
    role text not null,
    partition integer not null,
    begin_offset bigint not null,
    end_offset bigint not null
);

create temporary table rc_progress (partition integer not null, next_offset bigint not null);

-- Per stage and partition: whatever lies below has been followed by all that is due. What is due above is pending.
create temporary table rc_settled (stage text not null, partition integer not null, below bigint not null);

create temporary table rc_unreadable (
    role text not null,
    partition integer not null,
    "offset" bigint not null,
    problem text not null
);

-- cause: why it must become a dead letter; null for a request that is valid by itself.
create temporary table rc_request (
    partition integer not null,
    "offset" bigint not null,
    digest bytea not null,
    cause text,
    transfer_id uuid,
    source_wallet_id uuid,
    destination_wallet_id uuid,
    units bigint,
    currency text,
    requested_at timestamptz,
    reference text,
    metadata jsonb,
    kind text,
    parent_id uuid,
    expires_at timestamptz
);

create temporary table rc_dead_letter (
    partition integer not null,
    "offset" bigint not null,
    digest bytea not null,
    source_partition integer not null,
    source_offset bigint not null,
    cause text not null
);

create temporary table rc_outcome (
    partition integer not null,
    "offset" bigint not null,
    digest bytea not null,
    record_key text,
    source_offset bigint not null,
    transfer_id uuid not null,
    source_wallet_id uuid not null,
    destination_wallet_id uuid not null,
    units bigint not null,
    currency text not null,
    requested_at timestamptz not null,
    reference text,
    metadata jsonb,
    kind text,
    parent_id uuid,
    expires_at timestamptz,
    status text not null,
    reason text,
    source_units bigint,
    source_version bigint,
    destination_units bigint,
    destination_version bigint,
    completed_at timestamptz not null,
    republished boolean not null
);

create temporary table rc_notification (
    partition integer not null,
    "offset" bigint not null,
    record_key text,
    source_offset bigint not null,
    transfer_id uuid not null,
    recipient text not null,
    user_id uuid not null,
    wallet_id uuid not null,
    email text not null,
    status text not null,
    reason text,
    units bigint not null,
    currency text not null,
    reference text,
    kind text,
    completed_at timestamptz not null
);

create temporary table rc_audit (
    partition integer not null,
    "offset" bigint not null,
    digest bytea not null,
    record_key text,
    source_offset bigint not null,
    outcome_offset bigint not null,
    transfer_id uuid not null
);
