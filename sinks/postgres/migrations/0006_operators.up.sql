-- Accounts that operate the pipeline without being able to move money, and what each reconciliation found.
alter table users
    drop constraint users_role_check,
    add constraint users_role_check check (role in ('user', 'ops', 'admin'));

-- One row for each that came to its end. The report is the one that `hfts reconcile --json` prints.
create table reconcile_runs (
    run_id bigint generated always as identity primary key,
    started_at timestamptz not null,
    finished_at timestamptz not null,
    passed boolean not null,
    report jsonb not null
);
