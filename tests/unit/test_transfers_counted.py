"""What the transfers stage counts: each thing once, and not before it cannot be undone any more."""

from collections.abc import Mapping

import orjson
import pytest
from builders import MemoryTopics, a_request, consumed, new_id, request_record
from counted import Since
from memory_ledger import MemoryLedger

from schemas.settings import Settings
from schemas.transfers import encode_request
from sinks.kafka.records import Consumed
from sinks.ledger.speculation import SpeculativeLedger
from streams.line import publish_outputs
from streams.transfers import TransfersStage


class World:
    """A ledger and topics, and the processes that come one after another."""

    def __init__(self) -> None:
        self.settings = Settings(_env_file=None, postgres_password="none", secret_key="k" * 40)
        self.ledger, self.topics = MemoryLedger(), MemoryTopics()

    async def process(self) -> TransfersStage:
        """A new one, given both partitions."""
        stage = TransfersStage(self.settings, self.topics)
        stage._ledger = SpeculativeLedger(self.ledger)
        await stage.resume_offsets([0, 1])
        return stage


def requests() -> dict[int, list[Consumed]]:
    """Three that go through, one above the payer's balance, a repeat, one that reuses an id, and two that are no
    requests."""
    payer, payee = new_id(), new_id()
    good = [a_request(source_wallet_id=payer, destination_wallet_id=payee) for _ in range(3)]
    too_much = a_request(source_wallet_id=payer, destination_wallet_id=payee, amount="5000.0000")
    other = orjson.dumps(orjson.loads(encode_request(good[0])) | {"amount": "6.0000"})
    return {
        0: [
            request_record(0, good[0]),
            request_record(1, too_much),
            request_record(2, good[0]),
            consumed(3, other, key=payer.encode()),
            consumed(4, b"\xff"),
            request_record(5, good[1]),
        ],
        1: [consumed(0, b"{}", partition=1), request_record(1, good[2], partition=1)],
    }


@pytest.fixture
def world() -> World:
    return World()


def ledger_counts(counted: Since) -> tuple[float, float]:
    failed = counted("hfts_transfers_failed_total", reason="insufficient_funds")
    return counted("hfts_transfers_applied_total"), failed


def dead_letter_counts(counted: Since) -> Mapping[str, float]:
    causes = ("transfer_id_reused", "undecodable", "invalid_request")
    return {cause: counted("hfts_dead_letters_total", cause=cause) for cause in causes}


NO_LETTERS = {"transfer_id_reused": 0, "undecodable": 0, "invalid_request": 0}
ALL_LETTERS = {"transfer_id_reused": 1, "undecodable": 1, "invalid_request": 1}


async def test_each_thing_is_counted_when_it_is_done(world: World) -> None:
    stage, counted = await world.process(), Since()
    commit = await stage.prepare(requests())
    assert ledger_counts(counted) == (0, 0), "nothing is committed yet"
    outputs = await commit()
    assert ledger_counts(counted) == (3, 1)
    assert dead_letter_counts(counted) == NO_LETTERS, "nothing is published yet"
    assert counted("hfts_end_to_end_seconds_count") == 0
    await publish_outputs(world.topics, outputs)
    assert dead_letter_counts(counted) == ALL_LETTERS
    assert counted("hfts_end_to_end_seconds_count") == 4, "one for each outcome"
    assert [counted("hfts_batch_seconds_count", agent="transfers", step=s) for s in ("decode", "decide", "commit")] == [
        1,
        1,
        1,
    ]


async def test_what_was_done_before_a_crash_is_not_counted_again(world: World) -> None:
    batches, counted = requests(), Since()
    await publish_outputs(world.topics, await (await (await world.process()).prepare(batches))())
    assert (ledger_counts(counted), dead_letter_counts(counted)) == ((3, 1), ALL_LETTERS)
    again = await world.process()
    await publish_outputs(world.topics, await (await again.prepare(batches))())
    assert (ledger_counts(counted), dead_letter_counts(counted)) == ((3, 1), ALL_LETTERS)
    assert counted("hfts_end_to_end_seconds_count") == 4


async def test_what_a_crash_has_left_to_publish_is_counted_by_who_publishes_it(world: World) -> None:
    batches, counted = requests(), Since()
    await (await (await world.process()).prepare(batches))()  # and then the process is gone
    successor = await world.process()
    fresh = request_record(6, a_request())
    await publish_outputs(world.topics, await (await successor.prepare({**batches, 0: [*batches[0], fresh]}))())
    assert ledger_counts(counted) == (4, 1)
    assert dead_letter_counts(counted) == ALL_LETTERS
    assert len(world.topics.records["transfers.outcomes", 0]) == 4
    assert counted("hfts_end_to_end_seconds_count") == 1, "of the one that is new: the others waited for a crash"
