"""The doctor on the brokers and on our rights there: each mistake, and the same without it."""

import re
from pathlib import Path
from typing import Any

import pytest
from doctor_findings import checked, only

from ops.doctor.checks.kafka import (
    judge_advertised,
    judge_doors,
    judge_internal,
    judge_offsets_retention,
    judge_sessions,
    judge_transactions,
    judge_version,
)
from ops.doctor.checks.rights import judge_rights
from ops.doctor.facts.kafka_doors import Broker, Door
from ops.doctor.facts.kafka_rights import NEEDED, Right
from ops.doctor.facts.kafka_topics import GROUP_OFFSETS, TRANSACTIONS, Partition, Topics
from ops.doctor.facts.kafka_values import Values
from ops.doctor.finding import Finding, Verdict
from schemas.settings import Settings

SECURITY = (Path(__file__).parents[2] / "docs" / "security.md").read_text()


def settings(**values: Any) -> Settings:
    return Settings(_env_file=None, **{"postgres_password": "p", "secret_key": "k" * 40, **values})


OPEN = Door("127.0.0.1:9092")
AWAY = Door("127.0.0.1:9093", fault="Kafka at 127.0.0.1:9093 does not answer")
UNKNOWN_NAME = Door("kafka:19092", name_fault="Name or service not known")
BROKERS = [Broker(1, OPEN), Broker(2, Door("b:1")), Broker(3, Door("c:1"))]


def test_brokers_that_let_us_in() -> None:
    only(judge_doors([OPEN]), Verdict.OK)
    only(judge_doors([OPEN, Door("b:1")]), Verdict.OK)


def test_no_broker_lets_us_in() -> None:
    first, second = judge_doors([UNKNOWN_NAME, AWAY])
    assert "the host name kafka of kafka:19092 has no address here" in checked(first, Verdict.PROBLEM).seen
    assert "Docker Compose" in first.remedy
    assert "does not answer" in checked(second, Verdict.PROBLEM).seen
    assert second.command == "nc -vz -w 5 127.0.0.1 9093"


def test_some_brokers_are_away() -> None:
    assert only(judge_doors([OPEN, AWAY]), Verdict.WARNING).seen == AWAY.fault


def test_an_address_without_a_port() -> None:
    found = only(judge_doors([Door("kafka", fault="'kafka' is no address: write it as host:port")]), Verdict.PROBLEM)
    assert "host:port" in found.seen


def test_brokers_that_send_us_astray() -> None:
    only(judge_advertised((BROKERS, settings())), Verdict.OK)
    named = only(judge_advertised(([Broker(1, UNKNOWN_NAME)], settings())), Verdict.PROBLEM)
    assert "tells clients to come to kafka:19092 for broker 1" in named.seen
    assert "Name or service not known" in named.seen
    away = only(judge_advertised(([Broker(1, OPEN), Broker(2, AWAY)], settings())), Verdict.PROBLEM)
    assert "for broker 2" in away.seen


@pytest.mark.parametrize(("last", "verdict"), [(17, Verdict.OK), (18, Verdict.OK), (16, Verdict.PROBLEM)])
def test_the_version_of_the_brokers(last: int, verdict: Verdict) -> None:
    only(judge_version({1: (4, last)}), verdict)


def internal(*, replicas: int | None, values: Values, brokers: int, **more: Any) -> list[Finding]:
    found = {} if replicas is None else {name: [Partition(0, 1, replicas, 1)] for name in (GROUP_OFFSETS, TRANSACTIONS)}
    missing = [] if found else [GROUP_OFFSETS, TRANSACTIONS]
    return judge_internal((Topics(found, missing), {1: values}, BROKERS[:brokers], settings(**more)))


def test_topics_of_kafka_that_cannot_be_made() -> None:
    default = {"offsets.topic.replication.factor": "3", "transaction.state.log.replication.factor": "3"}
    groups, transactions = internal(replicas=None, values=default, brokers=1)
    assert "no group can form" in checked(groups, Verdict.PROBLEM).why
    assert "take a partition over" in checked(transactions, Verdict.PROBLEM).why
    assert transactions.command == "transaction.state.log.replication.factor=1"
    only(internal(replicas=None, values=default, brokers=3), Verdict.OK)
    only(internal(replicas=1, values=default, brokers=1), Verdict.OK)
    only(internal(replicas=None, values={}, brokers=1), Verdict.OK)


def test_topics_of_kafka_that_one_broker_alone_has() -> None:
    groups, transactions = internal(replicas=1, values={}, brokers=3)
    for found, name in ((groups, GROUP_OFFSETS), (transactions, TRANSACTIONS)):
        assert checked(found, Verdict.PROBLEM).seen == f"{name} has replicas on 1 of 3 brokers"


def test_more_replicas_than_brokers() -> None:
    found = only(internal(replicas=1, values={}, brokers=1, topic_replication=3), Verdict.PROBLEM)
    assert "TOPIC_REPLICATION is 3" in found.seen


def test_sessions() -> None:
    fits = {"group.min.session.timeout.ms": "6000", "group.max.session.timeout.ms": "1800000"}
    only(judge_sessions({1: fits, 2: {}}), Verdict.OK)
    long = only(judge_sessions({1: fits, 2: {**fits, "group.min.session.timeout.ms": "10000"}}), Verdict.PROBLEM)
    assert (long.seen, long.command) == (
        "group.min.session.timeout.ms is 10000",
        "group.min.session.timeout.ms=6000",
    )
    short = {1: {**fits, "group.max.session.timeout.ms": "5000"}}
    assert "group.max" in only(judge_sessions(short), Verdict.PROBLEM).seen


def test_places_that_are_forgotten_over_a_weekend() -> None:
    only(judge_offsets_retention({1: {"offsets.retention.minutes": "10080"}}), Verdict.OK)
    only(judge_offsets_retention({1: {}}), Verdict.OK)
    values = {1: {"offsets.retention.minutes": "10080"}, 2: {"offsets.retention.minutes": "1440"}}
    assert "1440, 24 hours" in only(judge_offsets_retention(values), Verdict.WARNING).seen


@pytest.mark.parametrize(
    ("setting", "value"), [("transactional.id.expiration.ms", "21600000"), ("transaction.max.timeout.ms", "9999")]
)
def test_claims_that_do_not_live_long_enough(setting: str, value: str) -> None:
    fits = {"transactional.id.expiration.ms": "604800000", "transaction.max.timeout.ms": "900000"}
    only(judge_transactions({1: fits}), Verdict.OK)
    found = only(judge_transactions({1: fits, 2: {**fits, setting: value}}), Verdict.PROBLEM)
    assert found.seen == f"{setting} is {value}"


ALL_RIGHTS = {right: True for rights in NEEDED.values() for right in rights}


def test_rights_for_everything_or_for_one_process() -> None:
    assert "every process" in only(judge_rights((ALL_RIGHTS, settings())), Verdict.OK).seen
    for role, needed in NEEDED.items():
        rights = {right: right in needed for right in ALL_RIGHTS}
        assert role in only(judge_rights((rights, settings(kafka_sasl_username="me"))), Verdict.OK).seen


def test_a_right_that_is_missing() -> None:
    lacking = Right("topic", "transfers.outcomes", "Write")
    rights = {right: right in NEEDED["transfers"] and right != lacking for right in ALL_RIGHTS}
    user = settings(kafka_sasl_username="worker", topic_prefix="test.")
    found = only(judge_rights((rights, user)), Verdict.PROBLEM)
    assert "nearest is transfers, but for Write on topic test.transfers.outcomes" in found.seen
    assert "--allow-principal User:worker --operation Write --topic test.transfers.outcomes" in found.command


SAMPLES = {
    ("topic", "transfers.*"): ("transfers.requested", "transfers.outcomes", "transfers.dead-letter"),
    ("group", "hfts-*"): ("hfts-transfers", "hfts-notifications", "hfts-audit", "hfts-deliveries"),
    ("transactional id", "hfts-transfers-*"): ("hfts-transfers-0",),
    ("transactional id", "hfts-*"): ("hfts-notifications-0", "hfts-audit-0", "hfts-checkpoints-0"),
}
NOT_FOR_WORK = {"Create", "DescribeConfigs"}


def test_needed_is_what_the_documentation_grants() -> None:
    documented: dict[str, set[tuple[str, str, str]]] = {role: set() for role in NEEDED}
    rows = re.findall(r"^\| `(\w+)` \| (topic|group|transactional id) `(\S+)` \| (.*) \|$", SECURITY, re.MULTILINE)
    for user, kind, name, operations in rows:
        if user == "analyst":  # runs no process of the pipeline
            continue
        for operation in set(operations.split(", ")) - NOT_FOR_WORK:
            documented[user] |= {(kind, sample, operation) for sample in SAMPLES.get((kind, name), (name,))}
    needed = {role: {(r.resource, r.name, r.operation) for r in rights} for role, rights in NEEDED.items()}
    assert needed == documented
