($1::text is null or t.status = $1)
    and t.amount >= $2::numeric and t.amount <= $3::numeric
    and t.completed_at >= $4::timestamptz and t.completed_at < $5::timestamptz
    and t.requested_at >= $6::timestamptz and t.requested_at < $7::timestamptz
    and ($8::text is null or t.reference = $8)
    and ($9::jsonb is null or t.metadata @> $9)
