"""Copies what stands on the topics into temporary tables, a poll at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer

from ops.audit.chain import ChainVerifier
from ops.reconcile.facts import Row, audit_row, dead_letter_row, notification_row, outcome_row, request_row
from ops.reconcile.reading import document_of
from ops.topic_reader import Span, read_spans
from schemas.headers import SOURCE_TOPIC
from schemas.settings import Settings
from schemas.topics import AUDIT, DEAD_LETTERS, NOTIFICATIONS, TRANSFERS_OUTCOMES, TRANSFERS_REQUESTED, Topic
from sinks.kafka.records import Consumed
from sinks.postgres.pool import Connection

COPY_TIMEOUT_S = 600.0

# What follows is asked for its end before what it follows from, so that nothing seems to come from nowhere.
ROLES: tuple[tuple[str, Topic, str], ...] = (
    ("notifications", NOTIFICATIONS, "rc_notification"),
    ("audit", AUDIT, "rc_audit"),
    ("outcomes", TRANSFERS_OUTCOMES, "rc_outcome"),
    ("dead_letters", DEAD_LETTERS, "rc_dead_letter"),
    ("requests", TRANSFERS_REQUESTED, "rc_request"),
)
"""Role, topic and temporary table, in the order the ends are asked for."""

Progress = Callable[[str, int, int], None]
"""Told for a role how many records of how many have been read."""


@dataclass(slots=True)
class Loader:
    """Fills the tables of one reconciliation."""

    settings: Settings
    database: Connection
    consumer: AIOKafkaConsumer
    progress: Progress
    verifiers: dict[int, ChainVerifier] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    async def load(self, role: str, table: str, spans: Sequence[Span]) -> None:
        """Copy the records of one topic. Raises TopicReadError and asyncpg.PostgresError."""
        if role == "audit":
            self.verifiers = {span.partition: ChainVerifier(span.partition, begin=span.begin) for span in spans}
        total = sum(span.end - span.begin for span in spans)
        done = read = 0
        self.progress(role, 0, total)
        async for _, records in read_spans(self.consumer, spans):
            rows, unreadable = self._rows(role, records)
            await self._copy(table, rows)
            await self._copy("rc_unreadable", unreadable)
            read += len(records)
            done += records[-1].offset - records[0].offset + 1
            self.progress(role, min(done, total), total)
        self.progress(role, total, total)
        self.counts[role] = read

    def _rows(self, role: str, records: Sequence[Consumed]) -> tuple[list[Row], list[Row]]:
        rows: list[Row] = []
        unreadable: list[Row] = []
        for record in records:
            try:
                row = self._row(role, record)
            except ValueError as error:  # msgspec's errors are ValueErrors too
                problem = str(error).replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode()
                unreadable.append((role, record.partition, record.offset, problem[:500]))
                continue
            if row is not None:
                rows.append(row)
        return rows, unreadable

    def _row(self, role: str, record: Consumed) -> Row | None:
        if role == "requests":
            return request_row(record)
        if role == "outcomes":
            return outcome_row(record)
        if role == "notifications":
            return notification_row(record)
        if role == "audit":
            verified = self.verifiers[record.partition].check(record.offset, record.value)
            return audit_row(record, document_of(record.value) if verified is None else verified)
        return dead_letter_row(record) if self._is_of_requests(record) else None

    def _is_of_requests(self, record: Consumed) -> bool:
        """Dead letters of other topics are no matter of transfers; one that names no topic is taken for ours."""
        named = [value for header, value in record.headers if header == SOURCE_TOPIC]
        return not named or named[-1] == self.settings.topic_name(TRANSFERS_REQUESTED).encode()

    async def _copy(self, table: str, rows: Sequence[Row]) -> None:
        if rows:
            records: Any = rows
            await self.database.copy_records_to_table(table, records=records, timeout=COPY_TIMEOUT_S)
