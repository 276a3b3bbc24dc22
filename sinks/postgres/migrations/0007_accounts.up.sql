-- Accounts that programs and analysts use, API keys, forgotten passwords, and what ends access before it expires.

-- Goes up with whatever makes older access tokens of the account wrong: they say which number they were made under.
alter table users
    add column access_epoch bigint not null default 0,
    drop constraint users_role_check,
    add constraint users_role_check check (role in ('user', 'producer', 'analyst', 'ops', 'admin')) not valid;

-- Keys of producers. The secret has 256 random bits, and only the SHA-256 of the whole key is here.
create table api_keys (
    key_id uuid primary key,
    user_id uuid not null references users on delete cascade,
    name text not null,
    scopes text[] not null,
    secret_hash bytea not null check (octet_length(secret_hash) = 32),
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz
);

create index api_keys_user on api_keys (user_id, created_at);

-- One row for an account whose password is forgotten: since when somebody asks, and the token that an admin has made.
create table password_resets (
    user_id uuid primary key references users on delete cascade,
    requested_at timestamptz not null default now(),
    reset_id uuid unique,
    token_hash bytea check (octet_length(token_hash) = 32),
    expires_at timestamptz,
    check (num_nulls(reset_id, token_hash, expires_at) in (0, 3))
);

create index password_resets_waiting on password_resets (requested_at) where reset_id is null;

-- What API processes read every few seconds. Access by this account, session or key counts from this epoch on; a
-- session or a key that is over has no such epoch. A row is of use for no longer than an access token lives.
create table revocations (
    subject uuid primary key,
    epoch_min bigint not null,
    revoked_at timestamptz not null
);

create index revocations_recent on revocations (revoked_at);

create function note_revocation(subject uuid, epoch_min bigint) returns void language plpgsql as $$
begin
    delete from revocations as old where old.subject in (
        select r.subject from revocations as r where r.revoked_at < now() - interval '2 days'
        order by r.revoked_at limit 10 for update skip locked
    );
    insert into revocations values (note_revocation.subject, note_revocation.epoch_min, clock_timestamp())
    on conflict on constraint revocations_pkey do update
    set epoch_min = excluded.epoch_min, revoked_at = excluded.revoked_at;
end
$$;

create function users_access_changed() returns trigger language plpgsql as $$
begin
    new.access_epoch := old.access_epoch + 1;
    perform note_revocation(new.user_id, new.access_epoch);
    return new;
end
$$;

create trigger users_access before update on users for each row
    when ((old.status, old.role, old.session_epoch) is distinct from (new.status, new.role, new.session_epoch))
    execute function users_access_changed();

create function session_ended() returns trigger language plpgsql as $$
begin
    perform note_revocation(new.session_id, 9223372036854775807);
    return null;
end
$$;

create trigger sessions_ended after update on sessions for each row
    when (old.revoked_at is null and new.revoked_at is not null) execute function session_ended();

create function api_key_ended() returns trigger language plpgsql as $$
begin
    perform note_revocation(new.key_id, 9223372036854775807);
    return null;
end
$$;

create trigger api_keys_ended after update on api_keys for each row
    when (old.revoked_at is null and new.revoked_at is not null) execute function api_key_ended();
