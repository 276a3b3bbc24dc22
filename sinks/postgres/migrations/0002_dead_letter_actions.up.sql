-- What operators have done about dead letters. A letter without a row is open; the letter itself is never touched.

create table dead_letter_actions (
    topic text not null,
    partition integer not null,
    "offset" bigint not null,
    action text not null check (action in ('replay', 'discard')),
    -- A replay is intended before it is published and done after. What a crash left intended is looked for on the topic
    -- of requests: the attempt stands in a header there, at or behind the offset scan_from.
    state text not null check (state in ('intended', 'done')),
    attempt uuid,
    request_partition integer,
    scan_from bigint,
    request_offset bigint,
    reason text,
    actor text not null,
    began_at timestamptz not null default now(),
    done_at timestamptz,
    primary key (topic, partition, "offset"),
    check ((state = 'done') = (done_at is not null)),
    check ((action = 'replay' and attempt is not null and request_partition is not null and scan_from is not null
            and reason is null)
        or (action = 'discard' and state = 'done' and reason is not null))
);

create index dead_letter_actions_intended on dead_letter_actions (topic) where state = 'intended';
