drop index concurrently if exists transfers_holds
