-- An attempt has published nothing, and never will: its letters are open again.
delete from dead_letter_actions
where topic = $1 and attempt = $2 and state = 'intended'
