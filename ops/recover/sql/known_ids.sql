-- Those of these transfers that the ledger has.
select transfer_id::text from transfers where transfer_id = any($1::uuid[])
