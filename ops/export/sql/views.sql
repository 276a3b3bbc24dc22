-- What analysts find ready. Only what was completed moves money; days, hours and minutes are those of UTC.

-- Every record of the audit topic, the exported and those behind them.
create view transfers as
select * from exported
union all by name
select *, completed_at::date as day from live;

-- What people paid: ordinary transfers, and captures of holds. Holds and voids only move money to a hold wallet and
-- back. What was sent back stands beside it.
create view daily_volume as
select
    day,
    currency,
    count(*) filter (kind is null or kind = 'capture') as payments,
    coalesce(sum(amount) filter (kind is null or kind = 'capture'), 0) as volume,
    count(*) filter (kind = 'reversal') as reversals,
    coalesce(sum(amount) filter (kind = 'reversal'), 0) as reversed
from transfers
where status = 'COMPLETED'
group by day, currency
order by day, currency;

-- What came into each wallet and went out of it: `net` is its balance, since every wallet began with none.
create view net_flow as
select
    wallet_id,
    currency,
    count(*) filter (amount > 0) as received_count,
    coalesce(sum(amount) filter (amount > 0), 0) as received,
    count(*) filter (amount < 0) as sent_count,
    coalesce(-sum(amount) filter (amount < 0), 0) as sent,
    sum(amount) as net
from (
    select source_wallet_id as wallet_id, currency, -amount as amount from transfers where status = 'COMPLETED'
    union all
    select destination_wallet_id, currency, amount from transfers where status = 'COMPLETED'
)
group by wallet_id, currency;

-- What failed, by its reason, and which part of all that was decided on that day.
create view failure_rates as
select day, reason, failed, decided, failed / decided as rate
from (
    select day, reason, count(*) as failed, sum(count(*)) over (partition by day)::bigint as decided
    from transfers
    group by day, reason
)
where reason is not null
order by day, failed desc, reason;

-- How much each wallet sent in an hour.
create view velocity as
select
    source_wallet_id as wallet_id,
    currency,
    date_trunc('hour', completed_at) as hour,
    count(*) as transfers,
    sum(amount) as amount
from transfers
where status = 'COMPLETED'
group by all;

-- The same by the minute.
create view velocity_by_minute as
select
    source_wallet_id as wallet_id,
    currency,
    date_trunc('minute', completed_at) as minute,
    count(*) as transfers,
    sum(amount) as amount
from transfers
where status = 'COMPLETED'
group by all;

-- The ten that each wallet sent most to, by amount.
create view top_counterparties as
select wallet_id, currency, rank, counterparty_id, transfers, amount
from (
    select
        source_wallet_id as wallet_id,
        currency,
        destination_wallet_id as counterparty_id,
        count(*) as transfers,
        sum(amount) as amount,
        row_number() over (
            partition by source_wallet_id, currency order by sum(amount) desc, destination_wallet_id
        ) as rank
    from transfers
    where status = 'COMPLETED'
    group by source_wallet_id, currency, destination_wallet_id
)
where rank <= 10;
