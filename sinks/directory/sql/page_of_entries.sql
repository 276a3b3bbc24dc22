-- A wallet's newest entries below a version. Each leg is read from its own partial index, in order and only as far as
-- the page goes, so that a page costs the same however long the history is.
(
    select transfer_id::text, source_version as version, (-amount)::text as amount, source_balance::text as balance,
           currency, destination_wallet_id::text as counterparty_wallet_id, reference, completed_at
    from transfers
    where source_wallet_id = $1::uuid and source_version < $2
    order by source_version desc
    limit $3
)
union all
(
    select transfer_id::text, destination_version, amount::text, destination_balance::text,
           currency, source_wallet_id::text, reference, completed_at
    from transfers
    where destination_wallet_id = $1::uuid and destination_version < $2
    order by destination_version desc
    limit $3
)
order by version desc
limit $3
