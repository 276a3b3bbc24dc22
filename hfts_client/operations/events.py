"""Outcomes as they are published, without a gap."""

import msgspec

from hfts_client.answers import EVENT_STREAM, is_event_stream
from hfts_client.api import Api, target
from hfts_client.effects import Emit, Event, NextEvent, Operation, Request, Sleep, Stream
from hfts_client.errors import BadAnswerError, ConnectionFailedError
from hfts_client.models import Transfer, TransferEvent
from hfts_client.paths import TRANSFERS
from hfts_client.retries import Attempts

PATH = f"{TRANSFERS}/events"


def events(api: Api, *, after: str | None = None, all_wallets: bool = False) -> Stream[TransferEvent]:
    """The outcomes of the caller's wallets, as soon as they are published, for as long as they are asked for.

    With ``after``, the ``event_id`` of the last one that was handled, all that came since; without it, from now on.
    When the connection breaks, or the API ends it, it is taken up again behind what was told. Raises ApiError and
    ConnectionFailedError when the API stays away. ``all_wallets``: those of everybody (admins).
    """
    path = target(PATH, all="true" if all_wallets else None)
    attempts = Attempts(api.retry)
    while True:
        answer = yield from api.call(_request(path, after), attempts=attempts, opens_stream=True)
        if not is_event_stream(answer):
            raise BadAnswerError("what was to be a stream of events is something else")
        failure: ConnectionFailedError | None = None
        pause_s: float | None = None
        while True:
            try:
                event: Event | None = yield NextEvent()
            except ConnectionFailedError as error:
                failure, event = error, None
            if event is None:
                break
            attempts = Attempts(api.retry)  # it works
            pause_s = event.retry_s or pause_s
            after = event.event_id or after
            if event.data:
                yield Emit(_read(event))
        yield from _pause(attempts, pause_s, failure)


def _request(path: str, after: str | None) -> Request:
    headers = {"Accept": EVENT_STREAM, "Cache-Control": "no-store"}
    return Request("GET", path, headers=headers if after is None else {**headers, "Last-Event-ID": after})


def _pause(attempts: Attempts, pause_s: float | None, failure: ConnectionFailedError | None) -> Operation[None]:
    """Wait before the next connection, as long as the API has asked to (the field ``retry``)."""
    delay_s = attempts.next_delay_s(pause_s)
    if delay_s is None:
        raise failure or ConnectionFailedError("the stream of events ends again and again")
    yield Sleep(delay_s)


def _read(event: Event) -> TransferEvent:
    try:
        transfer = msgspec.json.decode(event.data, type=Transfer)
    except msgspec.DecodeError as error:
        raise BadAnswerError(f"an event that cannot be read: {error}") from None
    return TransferEvent(event_id=event.event_id, type=event.type, transfer=transfer)
