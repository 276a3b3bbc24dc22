"""One Faust app for each agent, so that each is a consumer group of its own and can be run and scaled apart.

``faust -A streams.app:transfers worker`` starts one of them, ``hfts worker`` any choice of them in one process.
"""

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import faust
import structlog
from faust.types import TP

from schemas.settings import Settings
from sinks.kafka.options import client_options
from sinks.kafka.publisher import KafkaPublisher, Publisher
from streams.audit import AuditStage
from streams.deliveries import DeliveriesStage
from streams.group_session import SESSION_TIMEOUT_S
from streams.line import Line, exit_on_fault
from streams.metrics import ASSIGNED_PARTITIONS, REBALANCES
from streams.notifications import NotificationsStage
from streams.stage import Stage
from streams.transfers import TransfersStage
from streams.transport import EXIT_SOFTWARE, FetchWait

STAGES: dict[str, Callable[[Settings, Publisher], Stage]] = {
    TransfersStage.agent: TransfersStage,
    NotificationsStage.agent: NotificationsStage,
    AuditStage.agent: AuditStage,
    DeliveriesStage.agent: DeliveriesStage,
}

BATCH_RECORDS_MAX = 4_000
"""Large enough that a commit is cheap for each record, small enough that wallets are locked for milliseconds."""

BATCH_BYTES_MAX = 4 * 1024 * 1024
"""Some 10,000 requests of the usual size, so that only large ones come to it. What is made of a record while it is
worked on takes about ten times its bytes."""

BATCHES_BUFFERED_MAX = 8
"""Batches fetched ahead of the agent; with 4,000 records of some 400 bytes each about 13 MB. A batch of larger ones
has 1 MiB (``sinks.kafka.fetch_bytes``)."""

AT_ONCE = FetchWait(bytes_min=1, wait_ms_max=1_500)
"""For the transfers agent, which people wait for."""

A_LITTLE_LATER = FetchWait(bytes_min=64 * 1024, wait_ms_max=50)
"""For those that follow it: record by record, each would cost them, and the brokers, several times as much."""

HEARTBEAT_INTERVAL_S = SESSION_TIMEOUT_S / 4

STOP_S_MAX = 15.0
"""How long stopping may take. What is cut off is done again by whoever takes the partitions over."""

_log = structlog.get_logger(__name__)


class PipelineApp(faust.App):
    """A Faust app around one stage."""

    logger = logging.getLogger("faust.app")  # Faust's own remarks are not ours

    def __init__(self, name: str, settings: Settings) -> None:
        group = settings.group_name(name)
        self.publisher = KafkaPublisher(settings, group)
        self.stage = STAGES[name](settings, self.publisher)
        self.fetch_wait = AT_ONCE if name == TransfersStage.agent else A_LITTLE_LATER
        self.assigned: Sequence[int] | None = None
        """Our partitions; None from the beginning of a rebalance until we know where to read on in them."""
        super().__init__(group, **faust_settings(settings))
        topic = self.topic(self.stage.input_topic, key_serializer="raw", value_serializer="raw")
        self.agent(topic, name=name)(self._consume)
        # mode's annotation wants an argument named `signal`, which neither needs.
        self.on_partitions_assigned.connect(self._tell_assigned, weak=False)  # type: ignore[arg-type]
        self.on_partitions_revoked.connect(self._forget, weak=False)  # type: ignore[arg-type]

    async def _consume(self, stream: Any) -> None:
        await exit_on_fault(self._feed_line(stream))

    async def _feed_line(self, stream: Any) -> None:
        line = Line(
            self.stage,
            self.publisher,
            records_max=BATCH_RECORDS_MAX,
            bytes_max=BATCH_BYTES_MAX,
        )
        running = [asyncio.create_task(exit_on_fault(part)) for part in (line.run(), self.publisher.keep_claims())]
        try:
            async for event in stream.noack().events():
                await line.put(event)
        finally:
            for task in running:
                task.cancel()

    async def on_start(self) -> None:
        """Connect before anything is consumed."""
        await self.publisher.start()
        await self.stage.start()
        await super().on_start()

    async def on_stop(self) -> None:
        """Let the batch in hand finish, for a bounded time: a database that is away must not keep the process."""
        deadline = threading.Timer(STOP_S_MAX, _give_up)
        deadline.daemon = True
        deadline.start()
        await super().on_stop()

    async def _on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Let the batch in hand finish before others get its partition, also while the app stops.

        Then Faust itself would not wait, and whoever gets the partition would shut us out.
        """
        if self.should_stop:
            await self._consumer_wait_empty(self.consumer, self.log)
        else:
            await super()._on_partitions_revoked(revoked)

    async def on_shutdown(self) -> None:
        """Disconnect once no agent runs any more."""
        await super().on_shutdown()
        await self.stage.stop()
        await self.publisher.stop()

    async def resume_offsets(self, assignment: set[TP]) -> dict[TP, int]:
        """Where to read on in the partitions just assigned, of those where the stage knows it."""
        offsets = await self.stage.resume_offsets([tp.partition for tp in assignment])
        return {tp: offsets[tp.partition] for tp in assignment if tp.partition in offsets}

    def on_rebalance_start(self) -> None:
        """Faust calls it as soon as the group shares its partitions out anew."""
        self.assigned = None
        super().on_rebalance_start()

    def on_rebalance_end(self) -> None:
        """Faust calls it when records begin to flow, or when there are none for us."""
        super().on_rebalance_end()
        self.assigned = sorted(tp.partition for tp in self.consumer.assignment())

    async def _tell_assigned(self, _app: Any, assigned: set[TP], *_: Any, **__: Any) -> None:
        REBALANCES.labels(self.stage.agent).inc()
        ASSIGNED_PARTITIONS.labels(self.stage.agent).set(len(assigned))
        _log.info(
            "partitions.assigned",
            group=self.conf.id,
            topic=self.stage.input_topic,
            partitions=sorted(tp.partition for tp in assigned),
        )

    async def _forget(self, _app: Any, revoked: set[TP], *_: Any, **__: Any) -> None:
        ASSIGNED_PARTITIONS.labels(self.stage.agent).set(0)
        partitions = [tp.partition for tp in revoked]
        self.stage.forget(partitions)
        self.publisher.release(partitions)


def faust_settings(settings: Settings) -> dict[str, Any]:
    """Those of every app whose events are record batches."""
    options = client_options(settings)
    return {
        "broker": ";".join(f"batches://{server}" for server in options["bootstrap_servers"]),
        "broker_credentials": _credentials(options),
        "broker_max_poll_records": BATCH_RECORDS_MAX,
        "broker_session_timeout": SESSION_TIMEOUT_S,
        "broker_heartbeat_interval": HEARTBEAT_INTERVAL_S,
        "broker_commit_interval": 1.0,
        "consumer_auto_offset_reset": "earliest",
        "datadir": str(Path(gettempdir()) / "hfts-faust"),  # nothing is kept there
        "stream_buffer_maxsize": BATCHES_BUFFERED_MAX,
        "stream_wait_empty": True,
        "table_standby_replicas": 0,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "web_enabled": False,
    }


def _give_up() -> None:
    _log.error("worker.stop_cut_short", after_s=STOP_S_MAX)
    os._exit(EXIT_SOFTWARE)


def create_app(name: str, settings: Settings) -> PipelineApp:
    """The Faust app of an agent: transfers, notifications, audit or deliveries."""
    return PipelineApp(name, settings)


def __getattr__(name: str) -> PipelineApp:
    """Let ``faust -A streams.app:NAME`` find an app without building one at import."""
    if name not in STAGES:
        raise AttributeError(name)
    return create_app(name, Settings())


def _credentials(options: dict[str, Any]) -> Any:
    protocol = options["security_protocol"]
    if protocol.startswith("SASL"):
        return faust.SASLCredentials(
            username=options["sasl_plain_username"],
            password=options["sasl_plain_password"],
            mechanism=options["sasl_mechanism"],
            ssl_context=options.get("ssl_context"),
        )
    return faust.SSLCredentials(options["ssl_context"]) if protocol == "SSL" else None
