-- For as long as this connection lives, nobody else brings the ledger of this topic and the topics together. 1919121010
-- is "rcvr" in ASCII.
select pg_advisory_lock(1919121010, hashtext($1))
