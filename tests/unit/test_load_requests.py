from random import Random

import aiokafka.partitioner
import pytest

from ops.load.report import FloodReport, LoadReport
from ops.load.requests import make_request, pair_picker
from ops.load.wallets import behind
from schemas.transfers import decode_request
from sinks.kafka.partitions import partition_of

A, B = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"


def test_a_request_is_one_that_the_stream_accepts() -> None:
    transfer_id, key, value = make_request(A, B, 15_000, "USD")
    request, units = decode_request(value)
    assert (request.transfer_id, request.source_wallet_id, request.destination_wallet_id) == (transfer_id, A, B)
    assert (key, units, request.amount) == (A, 15_000, "1.5000")


def test_a_picked_pair_never_is_one_wallet_twice() -> None:
    pick = pair_picker(["a", "b", "c"], Random(1))
    pairs = {pick() for _ in range(500)}
    assert pairs == {(x, y) for x in "abc" for y in "abc" if x != y}


@pytest.mark.parametrize("key", [A.encode(), B.encode(), b"", b"x", b"x" * 1_000])
def test_the_partition_is_that_of_every_client(key: bytes) -> None:
    partitioner = aiokafka.partitioner.DefaultPartitioner()
    assert partition_of(key, 12) == partitioner(key, list(range(12)), [])


def test_what_is_behind_counts_only_what_is_missing() -> None:
    assert behind({0: 5, 1: 9}, [(0, 7), (1, 3), (2, 4)]) == 6


def test_a_load_is_sound_if_everything_was_accepted_and_answered() -> None:
    report = LoadReport("kafka", 10.0, 1.0, 2, sent=10, accepted=10, results={"COMPLETED": 9, "same_wallet": 1})
    assert report.sound
    assert (report.completed, report.failed) == (9, {"same_wallet": 1})
    report.unanswered = 1
    assert not report.sound


def test_the_reports_are_json_and_tables_also_when_empty() -> None:
    flood = FloodReport(sent=0, send_s=0.0, applied=0, apply_s=0.0, publish_s=0.0)
    assert flood.as_json()["transfers_per_s"] == 0.0
    assert flood.table().row_count == 4
    load = LoadReport("http", 10.0, 1.0, 2, errors={"overload": 3})
    assert load.as_json()["latency_ms"] == {"p50": None, "p90": None, "p99": None, "p99.9": None, "max": None}
    assert load.table().row_count == 9
