-- Until the end of the transaction, whatever else goes by how much an account has waits.
select from users where user_id = $1::uuid for no key update
