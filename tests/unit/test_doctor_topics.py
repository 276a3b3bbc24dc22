"""The doctor on topics: each mistake, and the same without it."""

from collections.abc import Callable
from typing import Any

import pytest
from doctor_findings import checked, only

from ops.doctor.checks.topic_settings import judge_record_size, judge_retention, judge_timestamps, judge_unclean
from ops.doctor.checks.topics import judge_existence, judge_partitions, judge_replication
from ops.doctor.facts.kafka_doors import Broker, Door
from ops.doctor.facts.kafka_topics import Partition, Topics
from ops.doctor.facts.kafka_values import Values
from ops.doctor.finding import Finding, Verdict
from schemas.settings import Settings
from schemas.topics import ALL_TOPICS

REQUESTS, OUTCOMES = "transfers.requested", "transfers.outcomes"
NAMES = [topic.name for topic in ALL_TOPICS]
THREE = [Broker(number, Door(f"b{number}:9092")) for number in (1, 2, 3)]
SOUND = Partition(0, leader=1, replicas=3, in_sync=3)


def settings(**values: Any) -> Settings:
    needed = {"postgres_password": "p", "secret_key": "k" * 40, "topic_partitions": 1}
    return Settings(_env_file=None, **{**needed, **values})


def topics(**partitions: list[Partition]) -> Topics:
    """All five, those that are named with these partitions."""
    return Topics({name: partitions.get(name, [SOUND]) for name in NAMES})


def values(name: str | None = None, **changes: str) -> tuple[dict[str, Values], Settings]:
    """As `hfts topics` sets them, with changes to one."""
    found: dict[str, Values] = {topic.name: {**topic.config, "min.insync.replicas": "2"} for topic in ALL_TOPICS}
    if name is not None:
        found[name] = {**found[name], **changes}
    return found, settings()


def test_topics_that_are_missing() -> None:
    only(judge_existence((topics(), settings())), Verdict.OK)
    found = only(judge_existence((Topics({}, ["p.audit"]), settings(topic_prefix="p."))), Verdict.PROBLEM)
    assert (found.seen, found.command) == ("topics are missing: p.audit", "hfts topics")
    assert "TOPIC_PREFIX is p." in found.why


def test_topics_that_we_may_not_see() -> None:
    hidden = Topics({}, [], {"audit": "TopicAuthorizationFailedError"})
    assert "TopicAuthorizationFailedError" in only(judge_existence((hidden, settings())), Verdict.PROBLEM).seen


def test_another_number_of_partitions() -> None:
    only(judge_partitions((topics(), settings())), Verdict.OK)
    found = only(judge_partitions((topics(), settings(topic_partitions=12))), Verdict.PROBLEM)
    assert found.command == "TOPIC_PARTITIONS=1"


def test_topics_that_are_missing_have_no_partitions() -> None:
    only(judge_partitions((Topics({}, NAMES), settings())), Verdict.NOT_CHECKED)


def test_numbers_of_partitions_that_differ() -> None:
    found = only(judge_partitions((topics(audit=[SOUND, SOUND]), settings())), Verdict.PROBLEM)
    assert "audit has 2" in found.seen


def replication(found: Topics, brokers: int, in_sync_min: str = "2") -> list[Finding]:
    configured, _ = values()
    configured = {name: {**of, "min.insync.replicas": in_sync_min} for name, of in configured.items()}
    return judge_replication((found, configured, THREE[:brokers], settings()))


def one(partition: Partition) -> Topics:
    return Topics({OUTCOMES: [partition]})


def test_replication_as_it_should_be() -> None:
    only(replication(topics(), 3), Verdict.OK)


def test_a_single_broker_is_for_development() -> None:
    single = one(Partition(0, 1, 1, 1))
    assert "one broker only" in only(replication(single, 1, "1"), Verdict.WARNING).seen


@pytest.mark.parametrize(
    ("partition", "in_sync_min", "verdict", "seen"),
    [
        (Partition(0, 1, 1, 1), "1", Verdict.PROBLEM, "has replicas on 1 of 3 brokers"),
        (SOUND, "1", Verdict.PROBLEM, "min.insync.replicas is 1"),
        (SOUND, "3", Verdict.WARNING, "min.insync.replicas is 3, with 3 replicas"),
        (SOUND, "4", Verdict.WARNING, "min.insync.replicas is 4, with 3 replicas"),
    ],
)
def test_replication_below_the_promise(partition: Partition, in_sync_min: str, verdict: Verdict, seen: str) -> None:
    assert seen in only(replication(one(partition), 3, in_sync_min), verdict).seen


def test_partitions_without_a_leader_or_with_replicas_away() -> None:
    away, lost = Partition(1, 1, 3, 2), Partition(2, -1, 3, 0)
    partly = Topics({REQUESTS: [SOUND, away], OUTCOMES: [away, lost], "audit": [SOUND]})
    leaderless, behind = replication(partly, 3)
    assert checked(leaderless, Verdict.PROBLEM).seen == "without a leader: 1 of transfers.outcomes"
    seen = "replicas are away or behind: 1 of transfers.requested, 2 of transfers.outcomes"
    assert checked(behind, Verdict.WARNING).seen == seen


Judge = Callable[[tuple[dict[str, Values], Settings]], list[Finding]]


@pytest.mark.parametrize("judge", [judge_unclean, judge_retention, judge_record_size, judge_timestamps])
def test_topics_as_we_make_them(judge: Judge) -> None:
    only(judge(values()), Verdict.OK)
    only(judge(({}, settings())), Verdict.OK)


@pytest.mark.parametrize(
    ("judge", "name", "assignment", "verdict", "right"),
    [
        (judge_unclean, OUTCOMES, "unclean.leader.election.enable=true", Verdict.PROBLEM, "false"),
        (judge_retention, OUTCOMES, "retention.ms=604800000", Verdict.PROBLEM, "-1"),
        (judge_retention, REQUESTS, "retention.ms=604800000", Verdict.PROBLEM, "2592000000"),
        (judge_retention, OUTCOMES, "retention.bytes=1000", Verdict.PROBLEM, "-1"),
        (judge_retention, OUTCOMES, "cleanup.policy=compact", Verdict.PROBLEM, "delete"),
        (judge_record_size, OUTCOMES, "max.message.bytes=1048588", Verdict.PROBLEM, "2097152"),
        (judge_timestamps, REQUESTS, "message.timestamp.type=CreateTime", Verdict.WARNING, "LogAppendTime"),
    ],
)
def test_a_topic_that_is_set_otherwise(judge: Judge, name: str, assignment: str, verdict: Verdict, right: str) -> None:
    setting, _, value = assignment.partition("=")
    found = only(judge(values(name, **{setting: value})), verdict)
    assert name in found.seen
    assert found.command.endswith(f"--entity-name {name} --add-config {setting}={right}")


def test_requests_may_be_kept_for_longer() -> None:
    for longer in ("-1", "99999999999"):
        only(judge_retention(values(REQUESTS, **{"retention.ms": longer})), Verdict.OK)
