t.transfer_id::text, t.source_wallet_id::text, t.destination_wallet_id::text, t.amount::text, t.currency,
    t.status, t.reason, t.source_balance::text, t.source_version, t.destination_balance::text,
    t.destination_version, t.requested_at, t.completed_at, t.reference, t.metadata::text,
    t.kind, t.parent_id::text, t.expires_at,
    s.user_id::text as source_user_id, d.user_id::text as destination_user_id
