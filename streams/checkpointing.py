"""Has checkpoints written at intervals, beside the audit agent: by the process that has its first partition."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiokafka.errors import ProducerFenced

from schemas.checkpoints import CheckpointError
from schemas.settings import Settings
from schemas.topics import CHECKPOINTS_PARTITION
from sinks.kafka.publisher import KafkaPublisher
from streams.checkpoints import CheckpointWriter
from streams.metrics import CHECKPOINT_REFUSED, CHECKPOINTS
from streams.readiness import Agent

WRITER = "checkpoints"

ROUND_S_MAX = 600.0
"""A checkpoint that takes longer hangs on a broker, and is begun again over new connections."""

CANCELLED_AGAIN_AFTER_S = 1.0
"""A cancellation that meets a client while it closes may be swallowed."""

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def checkpoints_written(settings: Settings, audit: Agent) -> AsyncIterator[None]:
    """Write them until the end of the block, in the rounds in which the agent has the first partition.

    Should two processes believe that they have it, the brokers let one write. Nothing here holds up the agents or
    fails them: a round that fails is logged, and the next one begins anew.
    """
    rounds = asyncio.create_task(_rounds(settings, audit), name="checkpoints")
    try:
        yield
    finally:
        while not rounds.done():
            rounds.cancel()
            await asyncio.wait({rounds}, timeout=CANCELLED_AGAIN_AFTER_S)


async def _rounds(settings: Settings, audit: Agent) -> None:
    while True:
        await asyncio.sleep(settings.audit_checkpoint_interval_s)
        if CHECKPOINTS_PARTITION in (audit.assigned or ()):
            await write_checkpoints(settings)


async def write_checkpoints(settings: Settings) -> int:
    """Sign all that the audit holds; in how many checkpoints. Faults are logged."""
    written = 0
    publisher = KafkaPublisher(settings, settings.group_name(WRITER))
    try:
        await publisher.start()
        try:
            writer = CheckpointWriter(settings, publisher)
            while (checkpoint := await asyncio.wait_for(writer.write(), ROUND_S_MAX)) is not None:
                written += 1
                CHECKPOINTS.inc()
                _log.info(
                    "checkpoint.written", number=checkpoint.statement.number, records=checkpoint.statement.records
                )
        finally:
            await publisher.stop()
    except CheckpointError as error:
        CHECKPOINT_REFUSED.inc()
        _log.error("checkpoint.refused", problem=str(error))
    except ProducerFenced:
        _log.info("checkpoint.left_to_another")
    except Exception as error:  # noqa: BLE001 (whatever it is: the next round may do better, and the agents go on)
        _log.warning("checkpoint.postponed", error=f"{type(error).__name__}: {error}")
    return written
