-- Whether the ledger has rows of requests of any of these partitions below an offset. It reads on until it finds one.
select exists (select from transfers where request_partition = any($1::integer[]) and request_offset < $2)
