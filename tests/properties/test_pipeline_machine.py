"""The transfers stage, on a real ledger, driven by Hypothesis: requests, repeats, poison, crashes between any two
steps, and two workers that each believe a partition is theirs."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

import asyncpg
import msgspec
import orjson
import pytest
from aiokafka.errors import ProducerFenced
from builders import CrashError, MemoryPublisher, MemoryTopics, a_draw, a_hold, a_request, consumed, new_id
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from stages import work

from schemas.headers import CAUSE, source_offset
from schemas.holds import hold_wallet_id
from schemas.money import format_units
from schemas.settings import Settings
from schemas.transfers import decode_outcome, encode_request
from sinks.errors import ProgressMovedError
from sinks.kafka.records import Consumed
from sinks.ledger.ledger import Ledger
from sinks.ledger.rules import decide
from sinks.ledger.speculation import SpeculativeLedger
from sinks.ledger.types import Order
from sinks.postgres.pool import create_pool
from streams.line import publish_outputs
from streams.stage import Outputs
from streams.transfers import TransfersStage

PARTITIONS = 2
WALLETS = 4


class CrashingLedger(Ledger):
    """A ledger whose process ends right after its next commit, if told so."""

    crash = False

    async def write(self, batches: Any, verdict: Any) -> None:
        await super().write(batches, verdict)
        self._crash()

    async def apply_batches(self, batches: Any, *, in_doubt: bool = False) -> Any:
        applied = await super().apply_batches(batches, in_doubt=in_doubt)
        self._crash()
        return applied

    def _crash(self) -> None:
        if self.crash:
            raise CrashError


class Worker:
    """A process: its stage, and where it reads on in each partition. It knows nothing of other workers."""

    def __init__(self, machine: "PipelineMachine") -> None:
        self.machine = machine
        self.publisher = MemoryPublisher(machine.topics, machine.writers)
        self.stage = TransfersStage(machine.config, self.publisher)
        self.ledger = CrashingLedger(machine.pool, self.stage.input_topic, decide)
        self.stage._ledger = SpeculativeLedger(self.ledger)
        self.next_offset: dict[int, int] = {}
        self.held_up = False
        self.outputs: list[Outputs] = []

    async def step(self, partitions: list[int], count: int) -> None:
        for partition in partitions:
            if partition not in self.next_offset:
                self.next_offset |= await self.stage.resume_offsets([partition])
        batches = {partition: records for partition in partitions if (records := self.fetch(partition, count))}
        if batches:
            outputs = await work(self.stage, batches)
            if self.held_up:
                self.outputs.append(outputs)
            else:
                await self.publish(outputs)
            self.next_offset |= {partition: records[-1].offset + 1 for partition, records in batches.items()}

    def fetch(self, partition: int, count: int) -> list[Consumed]:
        first = self.next_offset[partition]
        return self.machine.requests[partition][first : first + count]

    async def publish(self, outputs: Outputs) -> None:
        """What was held up comes first."""
        for some in [*self.outputs, outputs]:
            await publish_outputs(self.publisher, some)
        self.outputs.clear()


class PipelineMachine(RuleBasedStateMachine):
    config: Settings
    loop: asyncio.AbstractEventLoop
    pool: asyncpg.Pool

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    @initialize()
    def begin(self) -> None:
        # A prefix of its own makes each run's progress start at 0.
        self.config = self.config.model_copy(update={"topic_prefix": f"{new_id()}."})
        self.topics = MemoryTopics()
        self.writers: dict[tuple[str, int], MemoryPublisher] = {}
        self.requests: dict[int, list[Consumed]] = {partition: [] for partition in range(PARTITIONS)}
        self.sent: list[Any] = []
        self.wallets = [self.run(self.make_wallet(units)) for units in (1000, 1000, 0, 0)]
        self.hold_wallets = [hold_wallet_id(wallet_id) for wallet_id in self.wallets]
        self.workers = [Worker(self), Worker(self)]

    async def make_wallet(self, units: int) -> str:
        user = await self.pool.fetchval(
            "insert into users (email, password_hash) values ($1, '') returning user_id", f"{new_id()}@example.com"
        )
        return str(
            await self.pool.fetchval(
                "insert into wallets (user_id, currency, balance) values ($1, 'USD', $2::bigint * 0.0001) "
                "returning wallet_id",
                user,
                units,
            )
        )

    def put(self, partition: int, value: bytes, key: bytes) -> None:
        log = self.requests[partition]
        log.append(consumed(len(log), value, key=key, topic="requests", partition=partition))

    @rule(partition=st.integers(0, PARTITIONS - 1), pair=st.permutations(range(WALLETS)), units=st.integers(1, 900))
    def submit(self, partition: int, pair: list[int], units: int) -> None:
        source, destination = self.wallets[pair[0]], self.wallets[pair[1]]
        request = a_request(source_wallet_id=source, destination_wallet_id=destination, amount=format_units(units))
        self.sent.append(request)
        self.put(partition, encode_request(request), source.encode())

    @rule(partition=st.integers(0, PARTITIONS - 1), wallet=st.integers(0, 1), units=st.integers(1, 500))
    def submit_hold(self, partition: int, wallet: int, units: int) -> None:
        request = a_hold(0, units, self.wallets[wallet]).request
        self.sent.append(request)
        self.put(partition, encode_request(request), request.source_wallet_id.encode())

    @precondition(lambda self: self.sent)
    @rule(
        data=st.data(),
        partition=st.integers(0, PARTITIONS - 1),
        kind=st.sampled_from(["capture", "void", "reversal"]),
        units=st.integers(1, 400),
    )
    def submit_draw(self, data: st.DataObject, partition: int, kind: str, units: int) -> None:
        """On whatever was sent before, be it applied or not, on any partition: as if it had just moved."""
        parent = data.draw(st.sampled_from(self.sent))
        payer = parent.source_wallet_id
        if payer in self.hold_wallets:
            payer = self.wallets[self.hold_wallets.index(payer)]
        order = a_draw(0, units, kind, Order(parent, 0, 0, 0), self.wallets[3] if kind == "capture" else payer)
        self.sent.append(order.request)
        self.put(partition, encode_request(order.request), order.request.source_wallet_id.encode())

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), partition=st.integers(0, PARTITIONS - 1), altered=st.booleans())
    def submit_again(self, data: st.DataObject, partition: int, altered: bool) -> None:
        request = data.draw(st.sampled_from(self.sent))
        if altered:
            request = msgspec.structs.replace(request, reference="other content")
        self.put(partition, encode_request(request), request.source_wallet_id.encode())

    @rule(partition=st.integers(0, PARTITIONS - 1), value=st.sampled_from([b"\xff", b"{}", b""]))
    def submit_garbage(self, partition: int, value: bytes) -> None:
        self.put(partition, value, b"x")

    @rule(
        worker=st.integers(0, 1),
        partitions=st.sampled_from([[0], [1], [0, 1], [1, 0]]),
        count=st.integers(1, 6),
        crash=st.sampled_from(["no", "no", "no", "after commit", "transfers.dead-letter", "transfers.outcomes"]),
        groups=st.integers(0, 2),
        held_up=st.booleans(),
    )
    def work(self, *, worker: int, partitions: list[int], count: int, crash: str, groups: int, held_up: bool) -> None:
        """One batch, published now or held up until the next; a crash, or finding that another has taken over, ends
        the process and starts another."""
        process = self.workers[worker]
        process.held_up = held_up
        process.ledger.crash = crash == "after commit"
        self.topics.crash_at = self.config.topic_prefix + crash if "." in crash else None
        self.topics.groups_before_crash = groups
        try:
            self.run(process.step(partitions, count))
        except (CrashError, ProgressMovedError, ProducerFenced):
            self.workers[worker] = Worker(self)
        finally:
            self.topics.crash_at = None
            process.ledger.crash = False

    @invariant()
    def nothing_is_told_twice(self) -> None:
        if not hasattr(self, "workers"):
            return
        for partition in range(PARTITIONS):
            for topic in ("transfers.outcomes", "transfers.dead-letter"):
                told = self.topics.read(self.config.topic_prefix + topic, partition)
                offsets = [source_offset(record.headers) or 0 for record in told]
                assert offsets == sorted(set(offsets))

    def teardown(self) -> None:
        if hasattr(self, "workers"):
            self.run(self.finish())

    async def finish(self) -> None:
        await Worker(self).step(list(range(PARTITIONS)), max(map(len, self.requests.values())) + 1)
        rows = {
            str(row["transfer_id"]): row
            for row in await self.pool.fetch(
                "select * from transfers where source_wallet_id = any($1::uuid[])", self.wallets + self.hold_wallets
            )
        }
        assert set(rows) == {request.transfer_id for request in self.sent}, "each id has its row"
        self.check_outcomes(rows)
        self.check_dead_letters(rows)
        await self.check_wallets()

    def check_outcomes(self, rows: dict[str, Any]) -> None:
        told: Counter[str] = Counter()
        for partition in range(PARTITIONS):
            for record in self.topics.read(self.config.topic_prefix + "transfers.outcomes", partition):
                outcome = decode_outcome(record.value or b"")
                row = rows[outcome.transfer_id]
                assert (row["request_partition"], row["request_offset"]) == (partition, source_offset(record.headers))
                assert (row["status"], row["reason"]) == (outcome.status, outcome.reason)
                assert row["source_version"] == outcome.source_version
                assert (row["kind"] or msgspec.UNSET) == outcome.kind
                told[outcome.transfer_id] += 1
        assert told == Counter(rows.keys()), "each row has one outcome"

    def check_dead_letters(self, rows: dict[str, Any]) -> None:
        """Every request has its row, repeats one of the same content, or is one dead letter."""
        for partition, log in self.requests.items():
            dead = self.topics.read(self.config.topic_prefix + "transfers.dead-letter", partition)
            by_offset = {source_offset(letter.headers): letter for letter in dead}
            for record in log:
                letter = by_offset.pop(record.offset, None)
                try:
                    document = orjson.loads(record.value or b"")
                    row = rows[document["transfer_id"]]
                except (ValueError, KeyError):
                    assert letter is not None
                    continue
                if (row["reference"] or None) == document.get("reference"):
                    assert letter is None
                else:
                    assert letter is not None
                    assert dict(letter.headers)[CAUSE] == b"transfer_id_reused"
                    assert letter.value == record.value
            assert not by_offset

    async def check_wallets(self) -> None:
        wrong = await self.pool.fetch(
            """select w.wallet_id from wallets w left join lateral (
                select count(*) as legs, count(distinct version) as versions, max(version) as last from entries e
                where e.wallet_id = w.wallet_id
            ) e on true
            where w.wallet_id = any($1::uuid[])
            and (w.version <> e.legs or w.version <> e.versions or w.version <> coalesce(e.last, 0))""",
            self.wallets + self.hold_wallets,
        )
        assert wrong == []
        total = await self.pool.fetchval(
            "select (sum(balance) * 10000)::bigint from wallets where wallet_id = any($1::uuid[])",
            self.wallets + self.hold_wallets,
        )
        assert total == 2000, "no money made or gone"
        held = await self.pool.fetch(
            """select wallet_id, (balance * 10000)::bigint as units,
                (select coalesce(sum(p.units_left), 0) from (
                    select (t.amount - coalesce(sum(c.amount), 0)) * 10000 as units_left
                    from transfers t
                    left join transfers c on c.parent_id = t.transfer_id and c.status = 'COMPLETED'
                    where t.kind = 'hold' and t.status = 'COMPLETED' and t.destination_wallet_id = w.wallet_id
                    group by t.transfer_id
                ) as p) as left_of_holds
            from wallets w where wallet_id = any($1::uuid[])""",
            self.hold_wallets,
        )
        assert all(row["units"] == row["left_of_holds"] for row in held)
        overdrawn = await self.pool.fetch(
            """select t.transfer_id from transfers t join transfers c on c.parent_id = t.transfer_id
            where t.source_wallet_id = any($1::uuid[]) and c.status = 'COMPLETED'
            group by t.transfer_id having sum(c.amount) > t.amount or t.status <> 'COMPLETED'""",
            self.wallets + self.hold_wallets,
        )
        assert overdrawn == []


@pytest.mark.timeout(600)
def test_exactly_once_whatever_happens(database_settings: Settings) -> None:
    loop = asyncio.new_event_loop()
    pool = loop.run_until_complete(create_pool(database_settings, size_max=2))
    PipelineMachine.config, PipelineMachine.loop, PipelineMachine.pool = database_settings, loop, pool
    try:
        run_state_machine_as_test(
            PipelineMachine,
            settings=settings(
                max_examples=60,
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
            ),
        )
    finally:
        loop.run_until_complete(pool.close())
        loop.close()
