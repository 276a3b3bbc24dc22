"""The deliveries stage: notifications in; for now, each is written to the log."""

from collections.abc import Iterable, Mapping, Sequence

from schemas.settings import Settings
from schemas.topics import NOTIFICATIONS
from sinks.kafka.publisher import Publisher
from sinks.kafka.records import Consumed
from sinks.log_delivery import LogDelivery
from streams.stage import Outputs


class DeliveriesStage:
    """Delivers each notification at least once; the committed offset tells where to go on."""

    def __init__(self, settings: Settings, _publisher: Publisher) -> None:
        self.input_topic = settings.topic_name(NOTIFICATIONS)
        self._delivery = LogDelivery()

    async def start(self) -> None:
        """Nothing to connect to."""

    async def stop(self) -> None:
        """Nothing to disconnect from."""

    async def resume_offsets(self, partitions: Iterable[int]) -> dict[int, int]:  # noqa: ARG002
        """Go by the committed offsets."""
        return {}

    def forget(self, partitions: Iterable[int]) -> None:
        """Nothing is kept."""

    async def work(self, batches: Mapping[int, Sequence[Consumed]]) -> Outputs:
        """Deliver these notifications."""
        for partition, records in batches.items():
            self._delivery.deliver(partition, [record.value or b"" for record in records])
        return []
