-- An earlier version would take money that is held for a wallet that does not exist.
do $$
begin
    if exists (select from wallets where kind = 'hold' and version > 0) then
        raise exception 'there are holds in the ledger, which an earlier version does not know';
    end if;
end
$$;

drop table hold_expiry;
alter table transfers drop column kind, drop column parent_id, drop column expires_at;
drop trigger wallets_terms on wallets;
drop function count_terms();
delete from wallets where kind = 'hold';
alter table wallets
    drop constraint wallets_kind_check,
    add constraint wallets_kind_check check (kind in ('user', 'world')),
    drop constraint wallets_check,
    add constraint wallets_check check ((kind = 'user') = (user_id is not null)),
    drop column holds_of, drop column terms, drop column transfer_max, drop column day_max;
