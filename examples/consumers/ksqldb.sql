-- The outcomes and the rates in ksqlDB. Put your TOPIC_PREFIX before the topics, if you have one. Amounts are texts, so
-- that nothing makes a float of them: cast them where you count, to as many digits as a sum may have, for it has no more
-- than its summands. Its consumers must read what is committed: ksql.streams.consumer.isolation.level=read_committed,
-- among the server's settings.
create stream outcomes (
    wallet varchar key,
    transfer_id varchar,
    source_wallet_id varchar,
    destination_wallet_id varchar,
    amount varchar,
    currency varchar,
    requested_at varchar,
    reference varchar,
    metadata map<varchar, varchar>,
    kind varchar,
    parent_id varchar,
    expires_at varchar,
    status varchar,
    reason varchar,
    source_balance varchar,
    source_version bigint,
    destination_balance varchar,
    destination_version bigint,
    completed_at varchar
) with (kafka_topic = 'transfers.outcomes', key_format = 'kafka', value_format = 'json');

create stream rates (
    wallet varchar key,
    wallet_id varchar,
    currency varchar,
    minute varchar,
    transfers bigint,
    volume varchar
) with (kafka_topic = 'transfers.rates', key_format = 'kafka', value_format = 'json');

create table failures as
    select reason, count(*) as transfers, sum(cast(amount as decimal(38, 4))) as volume
    from outcomes
    where status = 'FAILED'
    group by reason
    emit changes;
