-- For as long as this connection lives, nobody else acts on the letters of this topic. 1684828525 is "dlqm" in ASCII.
select pg_try_advisory_lock(1684828525, hashtext($1))
