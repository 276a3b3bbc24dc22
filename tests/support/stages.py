"""Both halves of a stage's work, one after the other."""

from collections.abc import Mapping, Sequence

from sinks.kafka.records import Consumed
from streams.stage import Outputs, Stage


async def work(stage: Stage, batches: Mapping[int, Sequence[Consumed]]) -> Outputs:
    commit = await stage.prepare(batches)
    return await commit()
