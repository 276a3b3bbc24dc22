-- One transfer as a transaction of its own, in as few round trips as the schema lets it: both wallets are locked in the
-- order of their ids by one statement, whose answer decides; one more writes everything.
begin;
select max(version) filter (where wallet_id = md5('wallet-' || :source)::uuid) as source_version,
       max(version) filter (where wallet_id <> md5('wallet-' || :source)::uuid) as destination_version,
       (max(balance) filter (where wallet_id = md5('wallet-' || :source)::uuid) >= :amount)::int as has_enough
from (
    select wallet_id, balance, version from wallets
    where wallet_id in (md5('wallet-' || :source)::uuid, md5('wallet-' || :destination)::uuid)
    order by wallet_id
    for no key update
) as locked \gset
\if :has_enough
with paid as (
    update wallets set balance = balance - :amount, version = version + 1, updated_at = now()
    where wallet_id = md5('wallet-' || :source)::uuid and version = :source_version
    returning wallet_id, balance, version
),
received as (
    update wallets set balance = balance + :amount, version = version + 1, updated_at = now()
    where wallet_id = md5('wallet-' || :destination)::uuid and version = :destination_version
    returning wallet_id, balance, version
)
insert into transfers (
    transfer_id, source_wallet_id, destination_wallet_id, amount, currency, status, source_balance, source_version,
    destination_balance, destination_version, requested_at, completed_at, request_partition, request_offset
)
select uuidv7(), paid.wallet_id, received.wallet_id, :amount, 'USD', 'COMPLETED', paid.balance, paid.version,
       received.balance, received.version, now(), now(), 0, 0
from paid, received;
\else
insert into transfers (
    transfer_id, source_wallet_id, destination_wallet_id, amount, currency, status, reason, requested_at, completed_at,
    request_partition, request_offset
)
values (
    uuidv7(), md5('wallet-' || :source)::uuid, md5('wallet-' || :destination)::uuid, :amount, 'USD', 'FAILED',
    'insufficient_funds', now(), now(), 0, 0
);
\endif
commit;
