-- Up to two transfers that brought money to a wallet with this reference: one is enough to know it is not the only one.
select transfer_id::text
from transfers
where destination_wallet_id = $1::uuid and hashtextextended(reference, 0) = hashtextextended($2, 0) and reference = $2 and status = 'COMPLETED'
    and (kind is null or kind = 'capture')
limit 2
