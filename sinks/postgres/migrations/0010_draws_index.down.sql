drop index concurrently if exists transfers_draws
