"""Runs a reconciliation: one snapshot of the ledger against the topics as they stood just before it."""

import json
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

from ops.audit.chain import ChainVerifier
from ops.lag.reader import admin_client, applied_offsets, committed_offsets, group_name
from ops.reconcile.loading import ROLES, Loader, Progress
from ops.reconcile.report import EXAMPLES_MAX, Facts, Fault, Finding, Report
from ops.reconcile.statements import Invariant, facts_schema, known_invariants
from ops.topic_reader import Span, group_free_consumer, partition_counts, topic_spans
from schemas.settings import Settings
from schemas.topics import TRANSFERS_OUTCOMES, TRANSFERS_REQUESTED, Topic
from sinks.postgres.pool import Connection, connect

STATEMENT_TIMEOUT_S = 3600.0

_FAULTS = """
with found as materialized ({sql})
select (select count(*) from found where not pending) as faults,
       (select count(*) from found where pending) as pending,
       (select coalesce(json_agg(json_build_array(at, fault)), '[]')
        from (select at, fault from found where not pending order by at, fault limit {limit}) as first) as examples
"""

# Stage, the agent whose commit says it is done, that agent's topic, and the table whose last record says so too.
_STAGES: tuple[tuple[str, str, Topic, str], ...] = (
    ("outcomes", "transfers", TRANSFERS_REQUESTED, "rc_outcome"),
    ("dead_letters", "transfers", TRANSFERS_REQUESTED, "rc_dead_letter"),
    ("audit", "audit", TRANSFERS_OUTCOMES, "rc_audit"),
    ("notifications", "notifications", TRANSFERS_OUTCOMES, "rc_notification"),
)

_SETTLED = """
insert into rc_settled
select $1, c.partition, greatest(c.below, coalesce(t.below, 0))
from unnest($2::integer[], $3::bigint[]) as c (partition, below)
left join (select partition, max(source_offset) as below from {table} group by partition) as t using (partition)
"""

_EVERYTHING = 2**63 - 1


async def reconcile(
    settings: Settings, *, settled: bool = False, progress: Progress = lambda _role, _read, _total: None
) -> Report:
    """Check every invariant. With ``settled`` nothing may be pending: what is, counts as a fault.

    Raises TopicReadError, KafkaError, OSError and asyncpg.PostgresError.
    """
    topics = [settings.topic_name(topic) for _, topic, _ in ROLES]
    counts = await partition_counts(settings, topics)
    async with AsyncExitStack() as stack:
        database = await connect(settings)
        stack.push_async_callback(database.close)
        admin = await stack.enter_async_context(admin_client(settings))
        consumer = await stack.enter_async_context(group_free_consumer(settings))
        # The snapshot stays open while the topics are read, for as long as that takes.
        await database.execute("set idle_in_transaction_session_timeout = 0")
        await database.execute(facts_schema())
        # Commits first, then the ends, then the snapshot: each may only run ahead of the one before.
        committed = {agent: await committed_offsets(admin, group_name(settings, agent)) for agent in _agents()}
        spans = await topic_spans(consumer, counts)
        async with database.transaction(isolation="repeatable_read", readonly=True):
            await _note_progress(database, settings, spans)
            loader = Loader(settings, database, consumer, progress)
            for role, topic, table in ROLES:
                await loader.load(role, table, _of(spans, settings, topic))
            await _note_settled(database, settings, spans, {} if settled else committed, settled=settled)
            return await _check(database, loader, progress)


def _agents() -> list[str]:
    return sorted({agent for _, agent, _, _ in _STAGES})


def _of(spans: Sequence[Span], settings: Settings, topic: Topic) -> list[Span]:
    name = settings.topic_name(topic)
    return [span for span in spans if span.topic == name]


async def _note_progress(database: Connection, settings: Settings, spans: Sequence[Span]) -> None:
    """Fix the snapshot and note what it says has been applied, and what the topics held before it."""
    applied = await applied_offsets(database, settings)
    await _insert(database, "rc_progress", list(applied.items()))
    roles = {settings.topic_name(topic): role for role, topic, _ in ROLES}
    await _insert(database, "rc_span", [(roles[span.topic], span.partition, span.begin, span.end) for span in spans])


async def _note_settled(
    database: Connection,
    settings: Settings,
    spans: Sequence[Span],
    committed: Mapping[str, Mapping[tuple[str, int], int]],
    *,
    settled: bool,
) -> None:
    """Note below which offsets nothing may be pending any more."""
    requests = _of(spans, settings, TRANSFERS_REQUESTED)
    await _insert(
        database, "rc_settled", [("requests", span.partition, _EVERYTHING if settled else 0) for span in requests]
    )
    for stage, agent, topic, table in _STAGES:
        name = settings.topic_name(topic)
        partitions = [span.partition for span in _of(spans, settings, topic)]
        done = committed.get(agent, {})
        below = [_EVERYTHING if settled else done.get((name, partition), 0) for partition in partitions]
        await database.execute(_SETTLED.format(table=table), stage, partitions, below, timeout=STATEMENT_TIMEOUT_S)


async def _insert(database: Connection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    records: Any = rows
    await database.copy_records_to_table(table, records=records)


async def _check(database: Connection, loader: Loader, progress: Progress) -> Report:
    # Sums and sorts over the whole ledger deserve more memory than a short statement.
    await database.execute("set local work_mem = '256MB'")
    await database.execute("analyze " + ", ".join(table for _, _, table in ROLES), timeout=STATEMENT_TIMEOUT_S)
    invariants = known_invariants()
    findings = []
    for number, invariant in enumerate(invariants):
        progress("invariants", number, len(invariants))
        findings.append(await _finding(database, invariant))
    progress("invariants", len(invariants), len(invariants))
    findings.append(_chain_finding(list(loader.verifiers.values())))
    return Report(findings, await _facts(database, loader))


async def _facts(database: Connection, loader: Loader) -> Facts:
    async def counted(sql: str) -> dict[str, Any]:
        return {row[0]: row[1] for row in await database.fetch(sql, timeout=STATEMENT_TIMEOUT_S)}

    return Facts(
        records=loader.counts,
        chain_verified=all(verifier.fault is None for verifier in loader.verifiers.values()),
        transfers=await counted("select coalesce(reason, status), count(*) from transfers group by 1 order by 1"),
        outcomes=await counted("select coalesce(reason, status), count(*) from rc_outcome group by 1 order by 1"),
        dead_letters=await counted("select cause, count(*) from rc_dead_letter group by 1 order by 1"),
        notifications=await counted("select recipient, count(*) from rc_notification group by 1 order by 1"),
        paid_in=await counted("select currency::text, (-balance)::text from wallets where kind = 'world' order by 1"),
    )


async def _finding(database: Connection, invariant: Invariant) -> Finding:
    checked = await database.fetchval(invariant.checked_sql, timeout=STATEMENT_TIMEOUT_S)
    statement = _FAULTS.format(sql=invariant.faults_sql, limit=EXAMPLES_MAX)
    row: Any = await database.fetchrow(statement, timeout=STATEMENT_TIMEOUT_S)
    examples = [Fault(at, problem) for at, problem in json.loads(row["examples"])]
    return Finding(invariant.name, invariant.title, checked, row["faults"], row["pending"], examples)


def _chain_finding(verifiers: Sequence[ChainVerifier]) -> Finding:
    faults = [found.fault for found in verifiers if found.fault is not None]
    return Finding(
        "audit_chain_holds",
        "The audit chain's sequences and hashes hold",
        checked=sum(found.checked for found in verifiers),
        faults=len(faults),
        pending=0,
        examples=[Fault(f"{fault.partition}-{fault.offset}", fault.problem) for fault in faults[:EXAMPLES_MAX]],
    )
