"""The notifications stage: outcomes in; a message for each party that is told out."""

from collections.abc import Iterable, Mapping, Sequence

from schemas import headers
from schemas.notifications import Notification, Party, encode_notification
from schemas.settings import Settings
from schemas.topics import NOTIFICATIONS, TRANSFERS_OUTCOMES
from schemas.transfers import Outcome, decode_outcome
from sinks.kafka.publisher import Publisher, last_source_offsets
from sinks.kafka.records import Consumed, Record
from sinks.postgres.pool import create_pool
from sinks.recipients import Recipient, Recipients
from streams.stage import Positions


class NotificationsStage:
    """Writes the messages of each outcome once, those of one outcome together, so that the tail tells where to go on.

    An outcome without anyone to tell leaves no trace there and is read again after a restart, to no effect.
    """

    def __init__(self, settings: Settings, publisher: Publisher) -> None:
        self._settings = settings
        self.input_topic = settings.topic_name(TRANSFERS_OUTCOMES)
        self._output_topic = settings.topic_name(NOTIFICATIONS)
        self._last_source = Positions(self._load_last_sources)
        self._publisher = publisher

    async def start(self) -> None:
        """Connect to PostgreSQL and Kafka."""
        self._pool = await create_pool(self._settings, size_max=1)
        self._recipients = Recipients(self._pool)
        await self._publisher.start()

    async def stop(self) -> None:
        """Disconnect."""
        await self._publisher.stop()
        self._pool.terminate()

    async def resume_offsets(self, partitions: Iterable[int]) -> dict[int, int]:
        """Behind the last outcome that was told of."""
        return {partition: last + 1 for partition, last in (await self._last_source.of(partitions)).items()}

    def forget(self, partitions: Iterable[int]) -> None:
        """Drop what is known of partitions that are no longer ours."""
        self._last_source.forget(partitions)

    async def process(self, partition: int, records: Sequence[Consumed]) -> None:
        """Publish the messages of these outcomes."""
        last = await self._last_source.get(partition)
        outcomes = [(record, decode_outcome(record.value or b"")) for record in records if record.offset > last]
        if not outcomes:
            return
        wallets = [wallet for _, o in outcomes for wallet in (o.source_wallet_id, o.destination_wallet_id)]
        owners = await self._recipients.owners(wallets)
        groups = [
            tuple(_record(record, message) for message in messages)
            for record, outcome in outcomes
            if (messages := notifications_of(outcome, owners))
        ]
        await self._publisher.publish(self._output_topic, partition, groups)
        self._last_source.keep(partition, records[-1].offset)

    async def _load_last_sources(self, partitions: list[int]) -> dict[int, int]:
        return await last_source_offsets(self._publisher, self._output_topic, partitions)


def notifications_of(outcome: Outcome, owners: Mapping[str, Recipient | None]) -> list[Notification]:
    """The sender is told in any case, the receiver of a completed transfer; a wallet without an owner tells nobody."""
    parties: list[tuple[Party, str]] = [("sender", outcome.source_wallet_id)]
    if outcome.reason is None:
        parties.append(("receiver", outcome.destination_wallet_id))
    return [
        Notification(
            transfer_id=outcome.transfer_id,
            recipient=recipient,
            user_id=owner.user_id,
            wallet_id=wallet_id,
            email=owner.email,
            status=outcome.status,
            reason=outcome.reason,
            amount=outcome.amount,
            currency=outcome.currency,
            reference=outcome.reference or None,
            completed_at=outcome.completed_at,
        )
        for recipient, wallet_id in parties
        if (owner := owners.get(wallet_id)) is not None
    ]


def _record(outcome: Consumed, message: Notification) -> Record:
    source = str(outcome.offset).encode()
    return Record(outcome.key, encode_notification(message), [(headers.SOURCE_OFFSET, source)])
