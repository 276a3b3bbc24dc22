-- Another status for a wallet that has one of $3; only an empty one is closed. No row otherwise. Waits for a batch that
-- is about to change the wallet, and sees what that has left.
update wallets
set status = $2, updated_at = now()
where wallet_id = $1::uuid and status = any($3::text[]) and ($2 <> 'closed' or (balance = 0 and kind = 'user'
        and not exists (select from wallets as h where h.wallet_id = $4::uuid and h.balance > 0)))
returning wallet_id::text, user_id::text, kind, currency, balance::text, version, status, created_at, updated_at,
       coalesce((select h.balance from wallets as h where h.wallet_id = $4::uuid), 0.0000)::text as held,
       transfer_max::text, day_max::text
