"""The rounds in which the owner of the first partition has checkpoints written."""

import asyncio
from collections.abc import Sequence

import pytest
from aiokafka.errors import KafkaConnectionError, ProducerFenced

from schemas.checkpoints import CheckpointError
from schemas.settings import Settings
from streams import checkpointing
from streams.checkpoints import CheckpointWriter
from streams.metrics import CHECKPOINT_REFUSED

SETTINGS = Settings(_env_file=None, postgres_password="x", secret_key="x" * 32)


class Owner:
    """An audit agent."""

    assigned: Sequence[int] | None = None
    should_stop = False


async def test_the_owner_of_the_first_partition_has_them_written(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[Sequence[int] | None] = []
    written, agent = asyncio.Event(), Owner()

    async def write(_settings: Settings) -> int:
        rounds.append(agent.assigned)
        written.set()
        return 1

    monkeypatch.setattr(checkpointing, "write_checkpoints", write)
    at_once = SETTINGS.model_copy(update={"audit_checkpoint_interval_s": 0})
    async with checkpointing.checkpoints_written(at_once, agent):
        for assigned in (None, [1, 2], [0, 1]):
            agent.assigned = assigned
            for _ in range(10):
                await asyncio.sleep(0)
        await written.wait()
    assert {tuple(assigned or ()) for assigned in rounds} == {(0, 1)}


@pytest.mark.parametrize("error", [CheckpointError("cut off"), ProducerFenced(), KafkaConnectionError(), OSError()])
async def test_a_round_that_fails_is_left_to_the_next(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    stopped: list[bool] = []

    class Publisher:
        def __init__(self, *_: object) -> None: ...

        async def start(self) -> None: ...

        async def stop(self) -> None:
            stopped.append(True)

    async def write(_writer: object) -> None:
        raise error

    monkeypatch.setattr(checkpointing, "KafkaPublisher", Publisher)
    monkeypatch.setattr(CheckpointWriter, "write", write)
    before = CHECKPOINT_REFUSED._value.get()
    assert await checkpointing.write_checkpoints(SETTINGS) == 0
    assert stopped == [True]
    assert CHECKPOINT_REFUSED._value.get() - before == isinstance(error, CheckpointError)
