"""The doctor on what Kafka and PostgreSQL know of each other: each mistake, and the same without it."""

from importlib.metadata import version

from doctor_findings import checked, only

from ops.doctor.checks.progress import (
    judge_database_clock,
    judge_kafka_clock,
    judge_members,
    judge_progress,
    judge_versions,
)
from ops.doctor.facts.database import Clock, Worker
from ops.doctor.facts.standing import Standing
from ops.doctor.finding import Finding, Verdict
from ops.topic_reader import Span
from schemas.settings import Settings

SETTINGS = Settings(_env_file=None, postgres_password="p", secret_key="k" * 40)
REQUESTS, NOTIFICATIONS = "transfers.requested", "notifications"


def progress(
    *spans: Span, applied: int | None = None, told: int | None = None, delivered: int | None = None
) -> list[Finding]:
    """Partition 0 as the database and the outcomes have it."""
    rows = {(REQUESTS, 0): applied, (NOTIFICATIONS, 0): delivered}
    known = {where: offset for where, offset in rows.items() if offset is not None}
    return judge_progress((Standing({} if told is None else {0: told}, known, list(spans)), SETTINGS))


def test_everything_agrees() -> None:
    only(progress(Span(REQUESTS, 0, 0, 0)), Verdict.OK)
    only(progress(Span(REQUESTS, 0, 5, 20), applied=10, told=9), Verdict.OK)
    only(progress(Span(REQUESTS, 0, 10, 10), applied=10, told=9), Verdict.OK)


def test_topics_that_were_lost() -> None:
    found = only(progress(Span(REQUESTS, 0, 0, 3), Span(REQUESTS, 1, 0, 9), applied=1200), Verdict.PROBLEM)
    assert "partition 0 ends at 3, applied up to 1,200" in found.seen
    assert "Workers wait" in found.why
    assert found.command == "hfts recover"
    delivered = only(progress(Span(NOTIFICATIONS, 0, 0, 3), delivered=4), Verdict.PROBLEM)
    assert "taken for delivered" in delivered.why


def test_a_database_that_is_another_or_older() -> None:
    older = only(progress(Span(REQUESTS, 0, 0, 20), applied=10, told=10), Verdict.PROBLEM)
    assert "on partitions 0 stand outcomes" in older.seen
    assert "start the workers" in older.remedy
    # Its requests have expired meanwhile, but not unapplied.
    new = only(progress(Span(REQUESTS, 0, 15, 20), told=19), Verdict.PROBLEM)
    assert "another database" in new.why


def test_requests_that_expired_unapplied() -> None:
    found = only(progress(Span(REQUESTS, 0, 15, 20), applied=10, told=9), Verdict.PROBLEM)
    assert found.seen.startswith("5 requests on partitions 0 have expired")


def test_clocks() -> None:
    only(judge_database_clock(Clock(0.4, 0.1)), Verdict.OK)
    only(judge_database_clock(Clock(-6.0, 1.5)), Verdict.OK)  # so far away that nobody knows
    assert "61.0 s ahead of" in only(judge_database_clock(Clock(61.0, 0.01)), Verdict.WARNING).seen
    assert "61.0 s behind" in only(judge_database_clock(Clock(-61.0, 0.01)), Verdict.WARNING).seen
    only(judge_kafka_clock(0.0), Verdict.OK)
    assert "3600 s" in only(judge_kafka_clock(3600.0), Verdict.WARNING).seen


def test_agents_that_nobody_runs() -> None:
    everybody = {"transfers": 2, "notifications": 1, "audit": 1, "deliveries": 1}
    only(judge_members(everybody), Verdict.OK)
    found = only(judge_members({**everybody, "audit": 0}), Verdict.WARNING)
    assert found.command == "hfts worker --agents audit"
    transfers, downstream = judge_members(dict.fromkeys(everybody, 0))
    assert checked(transfers, Verdict.WARNING).command == "hfts worker --agents transfers"
    assert checked(downstream, Verdict.WARNING).command == "hfts worker --agents notifications,audit,deliveries"


def test_workers_of_another_version() -> None:
    ours = Worker("w1", "here", version("hfts"))
    only(judge_versions([]), Verdict.OK)
    only(judge_versions([ours]), Verdict.OK)
    assert "w2 on there runs 9.9" in only(judge_versions([ours, Worker("w2", "there", "9.9")]), Verdict.WARNING).seen
