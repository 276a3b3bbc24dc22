-- No hold that was to end before this time is open any more.
update hold_expiry set settled_before = $1 where settled_before < $1
