"""Gives back what is left of holds whose end has come: beside the API, which may write requests to the stream.

The ledger says which holds are due, so that nothing is forgotten when processes end. The id of each void follows from
the hold and the number of attempts before it: done twice, by two processes or after a crash, it is a repeat. It follows
by way of a secret, too: whoever could tell it beforehand could use it for a transfer of their own, and the hold would
never end.
"""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import structlog
from uuid_utils import UUID, uuid5

from ingest_api.metrics import HOLD_EXPIRY_LAG
from ingest_api.submission import Requests
from schemas.transfers import VOID, TransferRequest, encode_request
from sinks.directory.holds import DueHold, Holds
from sinks.errors import DatabaseAwayError
from sinks.keys import KeyRing

PURPOSE = "hold expiry"

ROUND_INTERVAL_S = 2.0
HOLDS_MAX = 500
"""In one round."""

WHOLE_LOOK_INTERVAL = timedelta(minutes=1)
"""So often a process looks at all holds that are not settled. In between it goes on from where it has looked."""

OVERLAP = timedelta(seconds=10)
"""So much it looks at again, for holds that were being made when it looked."""

MARGIN = timedelta(minutes=10)
"""So long after its end, a hold that was made before it is certainly in the ledger: clocks of workers may be behind by
five minutes, and the transaction may take its time."""

NEVER = datetime.min.replace(tzinfo=UTC)

_log = structlog.get_logger(__name__)


def void_namespace(secret_key: str) -> UUID:
    """The secret namespace of the ids of voids."""
    return UUID(bytes=KeyRing(secret_key, (), PURPOSE).current.secret[:16])


def void_id(namespace: UUID, hold_id: str, draws: int) -> str:
    """The id of the void that follows on so many draws, failed ones too."""
    return str(uuid5(namespace, f"{hold_id}:{draws}"))


def void_of(hold: DueHold, namespace: UUID) -> TransferRequest:
    """The request that gives back what is left, the same one whoever makes it."""
    return TransferRequest(
        transfer_id=void_id(namespace, hold.transfer_id, hold.draws),
        source_wallet_id=hold.destination_wallet_id,
        destination_wallet_id=hold.source_wallet_id,
        amount=hold.remaining,
        currency=hold.currency,
        requested_at=hold.expires_at,
        kind=VOID,
        parent_id=hold.transfer_id,
    )


class HoldExpiry:
    """A round every two seconds, of all API processes together."""

    def __init__(self, holds: Holds, requests: Requests, secret_key: str) -> None:
        self._holds = holds
        self._requests = requests
        self._namespace = void_namespace(secret_key)
        self._task: asyncio.Task[None] | None = None
        self._next_whole_look_at = NEVER
        self._looked_before: datetime | None = None
        """What was to end earlier is given back, or waits for the next whole look."""
        self._oldest_open: datetime | None = None
        """At the last whole look."""

    def start(self) -> None:
        """Begin, in the background. Servers may come later."""
        self._task = asyncio.create_task(self._run(), name="hold-expiry")

    async def stop(self) -> None:
        """End at once: whatever was under way is done by the next process."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def round(self) -> int:
        """Give back what is due, if it is this process's turn; of how many holds. Raises DatabaseAwayError."""
        turn = await self._holds.begin_expiry_round(ROUND_INTERVAL_S)
        if turn is None:
            HOLD_EXPIRY_LAG.set(0.0)  # whoever has the turn tells
            return 0
        now = turn.began_at
        is_whole = now >= self._next_whole_look_at
        if is_whole:  # noted first: one that fails, for there is too much, leaves the looks in between their time
            self._next_whole_look_at = now + WHOLE_LOOK_INTERVAL
        since = turn.settled_before if is_whole else self._looked_before or now - MARGIN
        oldest = await self._holds.oldest_open(since)
        if is_whole:
            self._oldest_open = oldest
        HOLD_EXPIRY_LAG.set((now - min(filter(None, (oldest, self._oldest_open)), default=now)).total_seconds())
        due = await self._holds.due(since, HOLDS_MAX) if oldest else []
        voids = [void_of(hold, self._namespace) for hold in due]
        if voids:
            records = [(void.source_wallet_id.encode(), encode_request(void)) for void in voids]
            positions = await self._requests.publish_all(records)
            _log.info("holds.expired", holds=len(voids), unconfirmed=positions.count(None))
        self._looked_before = min([now - OVERLAP, *(hold.expires_at for hold in due)])
        if is_whole:
            settled = min(now - MARGIN, oldest or now)
            if settled > turn.settled_before:
                await self._holds.settle_expiry(settled)
        return len(voids)

    async def _run(self) -> None:
        while True:
            try:
                await self.round()
            except DatabaseAwayError:
                _log.debug("holds.waiting", reason="PostgreSQL is away")
            except Exception:  # noqa: BLE001 (the next round may do better, and the API must live on)
                _log.exception("holds.expiry_failed")
            await asyncio.sleep(ROUND_INTERVAL_S)
