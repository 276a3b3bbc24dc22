"""A workload as requests on the topic: made beforehand, and laid there as fast as the broker takes them."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Self

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder
from uuid_utils import uuid7

from bench.wallets import CURRENCY, wallet_id
from bench.workloads import Workload
from ops.load.kafka_sender import BATCH_BYTES, BATCHES_UNDER_WAY_MAX
from schemas.settings import Settings
from schemas.topics import TRANSFERS_REQUESTED
from schemas.transfers import TransferRequest, encode_request
from sinks.kafka.options import client_options
from sinks.kafka.partitions import partition_of

AMOUNT = "1.0000"
FUNDS = 10_000_000
"""What each source gets, in whole units of the currency: more than any workload takes out of one wallet, and little
enough that millions of them fit into what the world wallet may give."""

TOO_MUCH = "90000000000.0000"
"""More than any wallet ever holds."""

_CACHED_PARTITIONS = 1_000_000


def encoded(workload: Workload) -> Iterator[tuple[str, bytes]]:
    """Source wallet and request, as it stands on the topic, of each transfer."""
    for source, destination, fails in workload.pairs():
        source_id = wallet_id(source)
        request = TransferRequest(
            transfer_id=str(uuid7()),
            source_wallet_id=source_id,
            destination_wallet_id=wallet_id(destination),
            amount=TOO_MUCH if fails else AMOUNT,
            currency=CURRENCY,
            requested_at=datetime.now(UTC),
        )
        yield source_id, encode_request(request)


@dataclass(slots=True)
class Pile:
    """Record batches ready to be sent, by partition, and how many records they hold."""

    batches: list[tuple[int, BatchBuilder]]
    counts: dict[int, int]

    @property
    def records(self) -> int:
        """All of them."""
        return sum(self.counts.values())


class RequestWriter:
    """Puts workloads on the request topic. Its producer is started before anything is measured."""

    def __init__(self, settings: Settings) -> None:
        self._topic = settings.topic_name(TRANSFERS_REQUESTED)
        self._partitions = settings.topic_partitions
        self._partition = lru_cache(_CACHED_PARTITIONS)(self._partition_of)
        self._producer = AIOKafkaProducer(
            **client_options(settings), acks="all", enable_idempotence=True, max_batch_size=BATCH_BYTES
        )

    async def __aenter__(self) -> Self:
        await self._producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._producer.stop()

    def pile(self, workload: Workload) -> Pile:
        """Everything that takes time here, done beforehand."""
        pile = Pile([], defaultdict(int))
        filling: dict[int, BatchBuilder] = {}
        for source, value in encoded(workload):
            partition = self._partition(source)
            key = source.encode()
            batch = filling.get(partition)
            if batch is None or batch.append(key=key, value=value, timestamp=None) is None:
                batch = filling[partition] = self._producer.create_batch()
                batch.append(key=key, value=value, timestamp=None)
                pile.batches.append((partition, batch))
            pile.counts[partition] += 1
        return pile

    async def lay(self, pile: Pile) -> dict[int, int]:
        """Send it; the end of each partition it wrote to. Raises KafkaError."""
        under_way: set[asyncio.Future[int]] = set()
        ends: dict[int, int] = defaultdict(int)
        for partition, batch in pile.batches:
            under_way.add(asyncio.ensure_future(self._send(partition, batch, ends)))
            if len(under_way) >= BATCHES_UNDER_WAY_MAX:
                done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                for one in done:
                    one.result()
        await asyncio.gather(*under_way)
        return dict(ends)

    async def _send(self, partition: int, batch: BatchBuilder, ends: dict[int, int]) -> int:
        count = batch.record_count()
        confirmed = await self._producer.send_batch(batch, self._topic, partition=partition)
        end = (await confirmed).offset + count
        ends[partition] = max(ends[partition], end)
        return int(end)

    def _partition_of(self, wallet: str) -> int:
        return partition_of(wallet.encode(), self._partitions)
