left join wallets as s on s.wallet_id = t.source_wallet_id
left join wallets as d on d.wallet_id = t.destination_wallet_id
