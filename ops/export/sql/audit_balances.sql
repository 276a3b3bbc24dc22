-- What the audit says each wallet held at $at: the balance behind its highest version that was completed by then, and
-- beside it the sum and the number of all its movements up to that version.
create table audit_balances as
with legs as (
    select source_wallet_id as wallet_id, source_version as version, -amount as amount, source_balance as balance,
           currency, completed_at
    from transfers where status = 'COMPLETED' and ($wallet is null or source_wallet_id = $wallet)
    union all
    select destination_wallet_id, destination_version, amount, destination_balance, currency, completed_at
    from transfers where status = 'COMPLETED' and ($wallet is null or destination_wallet_id = $wallet)
),
reached as (
    select wallet_id, max(version) as version from legs where completed_at <= $at group by wallet_id
)
select
    wallet_id,
    reached.version as version,
    any_value(balance) filter (legs.version = reached.version) as balance,
    any_value(currency) as currency,
    sum(amount) as moved,
    count(*) as movements
from legs join reached using (wallet_id)
where legs.version <= reached.version
group by wallet_id, reached.version
