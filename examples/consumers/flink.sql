-- The outcomes and the rates in Flink SQL. Put your servers, and your TOPIC_PREFIX before the topics, if you have one.
-- Needs flink-sql-connector-kafka and flink-json: bin/sql-client.sh -f flink.sql
create table outcomes (
    transfer_id string,
    source_wallet_id string,
    destination_wallet_id string,
    amount decimal(18, 4),
    currency string,
    requested_at timestamp_ltz(6),
    reference string,
    metadata map<string, string>,
    kind string,
    parent_id string,
    expires_at timestamp_ltz(6),
    status string,
    reason string,
    source_balance decimal(18, 4),
    source_version bigint,
    destination_balance decimal(18, 4),
    destination_version bigint,
    completed_at timestamp_ltz(6),
    event_time as cast(completed_at as timestamp_ltz(3)), -- Flink's own takes no more than milliseconds
    watermark for event_time as event_time - interval '5' second
) with (
    'connector' = 'kafka',
    'topic' = 'transfers.outcomes',
    'properties.bootstrap.servers' = '127.0.0.1:9092',
    'properties.group.id' = 'analysts-flink',
    'properties.isolation.level' = 'read_committed',
    'scan.startup.mode' = 'earliest-offset',
    'format' = 'json',
    'json.timestamp-format.standard' = 'ISO-8601'
);

create table rates (
    wallet_id string,
    currency string,
    `minute` timestamp_ltz(6),
    transfers bigint,
    volume decimal(38, 4)
) with (
    'connector' = 'kafka',
    'topic' = 'transfers.rates',
    'properties.bootstrap.servers' = '127.0.0.1:9092',
    'properties.group.id' = 'analysts-flink',
    'properties.isolation.level' = 'read_committed',
    'scan.startup.mode' = 'earliest-offset',
    'format' = 'json',
    'json.timestamp-format.standard' = 'ISO-8601'
);

-- What has come out of each wallet, minute by minute.
select source_wallet_id, currency, window_start, count(*) as transfers, sum(amount) as volume
from table(tumble(table outcomes, descriptor(event_time), interval '1' minute))
where status = 'COMPLETED'
group by source_wallet_id, currency, window_start, window_end;
