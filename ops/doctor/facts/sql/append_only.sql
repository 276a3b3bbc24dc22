-- O: it fires, but where replication replays; A: always. D and R are switched off for us.
select exists (
    select from pg_trigger
    where tgrelid = 'transfers'::regclass and tgname = 'transfers_append_only' and tgenabled in ('O', 'A')
)
