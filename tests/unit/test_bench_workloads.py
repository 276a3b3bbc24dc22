"""Workloads of the benchmark: the same pairs for every contender, in the shares that their names promise."""

from collections import Counter
from uuid import UUID

import msgspec
import pytest

from bench.ours.bodies import BATCH_LINES, batch_bodies, single_bodies
from bench.ours.requests import AMOUNT, FUNDS, TOO_MUCH, encoded
from bench.parts import chosen, full, guard, hot, quick, uniform
from bench.wallets import wallet_id
from bench.workloads import Workload
from schemas.http_batch import NewTransferLine
from schemas.money import UNITS_MAX, parse_amount
from schemas.transfers import decode_request

EVERY = [
    Workload("uniform", 100, 5_000),
    Workload("hot destination", 100, 5_000, hot_share=0.2),
    Workload("hot source", 100, 5_000, hot_share=1.0, hot_side="source"),
    Workload("failing", 2, 5_000, failing_share=0.05),
    Workload("zipf", 100, 5_000, zipf=1.0),
]


@pytest.mark.parametrize("workload", EVERY, ids=lambda workload: workload.name)
def test_pairs_are_the_same_each_time_and_never_one_wallet_twice(workload: Workload) -> None:
    pairs = list(workload.pairs())
    assert pairs == list(workload.pairs())
    assert len(pairs) == workload.count
    assert all(source != destination for source, destination, _ in pairs)
    assert {wallet for source, destination, _ in pairs for wallet in (source, destination)} == set(
        range(workload.wallets)
    )


def test_a_hot_wallet_has_its_share_on_its_side() -> None:
    destinations = Counter(destination for _, destination, _ in hot(0.2, "destination", 10_000).pairs())
    assert 1_900 < destinations[0] < 2_100
    assert {source for source, _, _ in hot(1.0, "source", 1_000).pairs()} == {0}


def test_as_many_fail_as_asked_for() -> None:
    fails = sum(fails for _, _, fails in Workload("failing", 100, 10_000, failing_share=0.05).pairs())
    assert 400 < fails < 600
    assert not any(fails for _, _, fails in uniform(100, 1_000).pairs())


def test_with_zipf_the_first_wallet_is_drawn_ten_times_as_often_as_the_tenth() -> None:
    drawn = Counter(source for source, _, _ in Workload("zipf", 1_000, 50_000, zipf=1.0).pairs())
    assert 7 < drawn[0] / drawn[9] < 14


def test_requests_are_those_that_the_stream_accepts() -> None:
    workload = Workload("failing", 10, 200, failing_share=0.5)
    for (source, value), (payer, payee, fails) in zip(encoded(workload), workload.pairs(), strict=True):
        request, units = decode_request(value)
        assert (request.source_wallet_id, request.destination_wallet_id) == (wallet_id(payer), wallet_id(payee))
        assert (source, units) == (request.source_wallet_id, parse_amount(TOO_MUCH if fails else AMOUNT))


def test_wallet_ids_are_uuids_of_their_own() -> None:
    ids = {wallet_id(number) for number in range(1_000)}
    assert len({UUID(text) for text in ids}) == 1_000


def test_nobody_can_pay_what_is_too_much_and_all_funds_fit_in_a_balance() -> None:
    most = max(part.workload.count for part in full())
    assert parse_amount(TOO_MUCH) > parse_amount(f"{FUNDS + most}")
    assert most * parse_amount(f"{FUNDS}") < UNITS_MAX


def test_bodies_of_batches_have_a_key_a_line_that_no_other_has() -> None:
    bodies = batch_bodies(uniform(10, 2 * BATCH_LINES + 1))
    lines = [msgspec.json.decode(line) for body in bodies for line in body.splitlines()]
    assert [len(body.splitlines()) for body in bodies] == [BATCH_LINES, BATCH_LINES]
    assert len({NewTransferLine(**line).idempotency_key for line in lines}) == 2 * BATCH_LINES


def test_bodies_of_single_transfers_leave_the_id_to_the_server() -> None:
    body = msgspec.json.decode(single_bodies(uniform(10, 1))[0])
    assert body.keys() == {"source_wallet_id", "destination_wallet_id", "amount", "currency"}


def test_keys_of_parts_are_their_own_and_words_choose_among_them() -> None:
    for parts in (quick(), full(), guard()):
        assert len({part.key for part in parts}) == len(parts)
    assert {part.key for part in guard()} <= {part.key for part in quick()} <= {part.key for part in full()}
    assert [part.key for part in chosen(quick(), ["tpc-b", "getmany"])] == ["pgbench-tpc-b", "getmany"]
    assert len(chosen(quick(), [])) == len(quick())
