-- Money that is held, transfers that draw on earlier ones, and limits of wallets.

-- What is held of a wallet (holds_of) is the balance of a wallet of its own. terms goes up with every change of what a
-- decision relies on beside balance and version.
alter table wallets
    add column holds_of uuid,
    add column terms integer not null default 0,
    add column transfer_max numeric(18, 4),
    add column day_max numeric(18, 4);

alter table wallets
    drop constraint wallets_kind_check,
    add constraint wallets_kind_check check (kind in ('user', 'world', 'hold')) not valid,
    drop constraint wallets_check,
    add constraint wallets_check check (
        (kind = 'world') = (user_id is null) and (kind = 'hold') = (holds_of is not null)
    ) not valid;

create function count_terms() returns trigger language plpgsql as $$
begin
    update wallets set terms = terms + 1 where wallet_id = new.wallet_id;
    return null;
end
$$;

-- After the row, since a trigger before it would lock each row once more, whatever is updated.
create trigger wallets_terms after update of status, transfer_max, day_max on wallets
    for each row execute function count_terms();

-- kind is null for an ordinary transfer; parent_id is the transfer that this one draws on.
alter table transfers
    add column kind text,
    add column parent_id uuid,
    add column expires_at timestamptz;

alter table transfers
    add constraint transfers_kind_check check (
        case when kind is null then parent_id is null and expires_at is null
            when kind = 'hold' then parent_id is null
            else kind in ('capture', 'void', 'reversal') and parent_id is not null and expires_at is null end
    ) not valid;

-- One row: no hold that was to end before settled_before is open, and nobody looks for others before next_round_at.
create table hold_expiry (
    is_only boolean primary key default true check (is_only),
    settled_before timestamptz not null default '1970-01-01',
    next_round_at timestamptz not null default now()
) with (fillfactor = 50);

insert into hold_expiry default values;
