-- Limits of a wallet; null for none. A trigger counts the change, which decisions that are under way will notice.
update wallets set transfer_max = $2::text::numeric, day_max = $3::text::numeric, updated_at = now()
where wallet_id = $1::uuid
returning wallet_id
