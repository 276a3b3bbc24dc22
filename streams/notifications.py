"""The notifications stage: outcomes in; a message for each party that is told out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from schemas import headers
from schemas.crash_points import CrashPoint
from schemas.notifications import Notification, Party, encode_notification
from schemas.settings import Settings
from schemas.topics import NOTIFICATIONS, TRANSFERS_OUTCOMES
from schemas.transfers import HOLD, VOID, Outcome, decode_outcome
from sinks.crash import reach
from sinks.kafka.publisher import Publisher, last_source_offsets
from sinks.kafka.records import Consumed, Record
from sinks.postgres.pool import create_pool
from sinks.recipients import Recipient, Recipients
from streams.metrics import BATCH_SECONDS
from streams.stage import Commit, Output, Positions, publish_only, refuse_shorter
from streams.traces import headers_after

_WITHIN_ONE_OWNER = frozenset({HOLD, VOID})


class NotificationsStage:
    """Writes the messages of each outcome once, those of one outcome together, so that the tail tells where to go on.

    An outcome without anyone to tell leaves no trace there and is read again after a restart, to no effect. One that
    was published anew, after the loss of its topic, is such a one.
    """

    agent = "notifications"

    def __init__(self, settings: Settings, publisher: Publisher) -> None:
        self._settings = settings
        self.input_topic = settings.topic_name(TRANSFERS_OUTCOMES)
        self._output_topic = settings.topic_name(NOTIFICATIONS)
        self._last_source = Positions(self._load_last_sources)
        self._publisher = publisher

    async def start(self) -> None:
        """Connect to PostgreSQL."""
        self._pool = await create_pool(self._settings, size_max=1)
        self._recipients = Recipients(self._pool)

    async def stop(self) -> None:
        """Disconnect."""
        self._pool.terminate()

    async def resume_offsets(self, partitions: Iterable[int]) -> dict[int, int]:
        """Behind the last outcome that was told of."""
        return {partition: last + 1 for partition, last in (await self._last_source.loaded(partitions)).items()}

    def forget(self, partitions: Iterable[int]) -> None:
        """Drop what is known of partitions that are no longer ours."""
        self._last_source.forget(partitions)

    async def prepare(self, batches: Mapping[int, Sequence[Consumed]]) -> Commit:
        """Write the messages of these outcomes."""
        with BATCH_SECONDS.labels(self.agent, "decide").time():
            return publish_only(await self._outputs(batches))

    async def _outputs(self, batches: Mapping[int, Sequence[Consumed]]) -> list[Output]:
        last = self._last_source.of(batches)
        read = {
            partition: [
                (r, decode_outcome(r.value or b"")) for r in records if r.offset > last[partition] and _is_new(r)
            ]
            for partition, records in batches.items()
        }
        reach(CrashPoint.AFTER_DECODE)
        owners = await self._recipients.owners(
            wallet_id
            for outcomes in read.values()
            for _, outcome in outcomes
            for wallet_id in (outcome.source_wallet_id, outcome.destination_wallet_id)
        )
        for partition, records in batches.items():
            self._last_source.keep(partition, max(last[partition], records[-1].offset))
        return [
            Output(self._output_topic, partition, _messages(outcomes, owners))
            for partition, outcomes in read.items()
            if outcomes
        ]

    async def _load_last_sources(self, partitions: list[int]) -> dict[int, int]:
        await self._publisher.take_over([self._output_topic], partitions)
        last = await last_source_offsets(self._publisher, self._output_topic, partitions)
        await refuse_shorter(self._publisher, self.input_topic, {p: offset + 1 for p, offset in last.items()})
        return last


def _is_new(outcome: Consumed) -> bool:
    return all(name != headers.REPUBLISHED for name, _ in outcome.headers)


def notifications_of(outcome: Outcome, owners: Mapping[str, Recipient | None]) -> list[Notification]:
    """The sender is told in any case, the receiver of a completed transfer; a wallet without an owner tells nobody.

    Money that is held, or no longer so, stays with one person, who is told once.
    """
    parties: list[tuple[Party, str]] = [("sender", outcome.source_wallet_id)]
    if outcome.reason is None and outcome.kind not in _WITHIN_ONE_OWNER:
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
            kind=outcome.kind,
        )
        for recipient, wallet_id in parties
        if (owner := owners.get(wallet_id)) is not None
    ]


def _messages(
    outcomes: Iterable[tuple[Consumed, Outcome]], owners: Mapping[str, Recipient | None]
) -> Iterator[tuple[Record, ...]]:
    for record, outcome in outcomes:
        messages = notifications_of(outcome, owners)
        if messages:
            headers = headers_after(record)
            yield tuple(Record(record.key, encode_notification(message), headers) for message in messages)
