-- Wallets of which audit and ledger do not say the same, or the audit contradicts itself.
create table differences as
select * from (
    select
        coalesce(a.wallet_id, l.wallet_id) as wallet_id,
        case
            when l.wallet_id is null then 'the ledger has no entries of it'
            when a.wallet_id is null then 'the audit has no records of it'
            when a.version < l.version then 'the audit lacks versions ' || a.version + 1 || ' to ' || l.version
            when a.version > l.version then 'the ledger lacks versions ' || l.version + 1 || ' to ' || a.version
            when a.balance <> l.balance then 'the balances differ'
            when a.movements <> a.version
                then 'the audit has ' || a.movements || ' movements up to version ' || a.version
            when a.moved <> a.balance then 'the movements in the audit come to ' || a.moved
        end as difference,
        a.version as audit_version,
        a.balance as audit_balance,
        l.version as ledger_version,
        l.balance as ledger_balance
    from audit_balances as a
    full join ledger_balances as l on l.wallet_id = a.wallet_id
)
where difference is not null
