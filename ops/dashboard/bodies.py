"""Bodies of the dashboard's routes. Offsets and versions are text: they outgrow 2^53, which readers of JSON round."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, WithJsonSchema

from ops.dlq.options import REASON_CHARS_MAX
from schemas.http import Decimals, Input, Output, Text, Time

ADDRESSES_MAX = 200
"""Letters of one request; with more, `hfts dlq` does it."""

ADDRESS_PATTERN = r"^[0-9]{1,9}:[0-9]{1,18}$"
AGE_PATTERN = r"^[0-9]{1,4}[smhdw]$"

Offset = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^[0-9]+$", "examples": ["9007199254740993"]})]
LetterAddress = Annotated[str, StringConstraints(pattern=ADDRESS_PATTERN)]
LetterState = Literal["open", "replaying", "replayed", "discarded"]


class LetterSummary(Output):
    """A dead letter, and what was done about it. `address` is its partition and offset on the dead-letter topic."""

    address: str
    at: Time
    cause: str
    detail: str | None
    source_topic: str | None
    source_partition: int | None
    source_offset: Offset | None
    transfer_id: str | None
    state: LetterState
    actor: str | None
    done_at: Time | None
    reason: str | None
    request_partition: int | None
    request_offset: Offset | None


class LetterPage(Output):
    """Letters in the order of partitions and offsets. Go on with `starting_after` = `go_on_after`, unless it is null.

    A page may hold fewer than asked for, and yet not be the last: only so many letters are looked at for each.
    """

    data: list[LetterSummary]
    go_on_after: str | None


class ShownBytes(Output):
    """Bytes of a record. `text` is null where they are not text; `is_cut` where there are more than are shown."""

    size: int
    text: str | None
    hex: list[str] = Field(description="Offset, sixteen bytes and their ASCII, a line each.")
    is_cut: bool


class LetterHeader(Output):
    """A header that the record came with."""

    name: str
    value: ShownBytes | None


class Letter(LetterSummary):
    """Everything about one letter: what it was, byte for byte, what its cause means, and what to do next."""

    explanation: str
    next_step: str
    is_replayable: bool
    headers: list[LetterHeader] = Field(description="The first hundred that it came with.")
    header_count: int
    key: ShownBytes | None
    value: ShownBytes | None


class Letters(Input):
    """Letters by their addresses."""

    addresses: Annotated[list[LetterAddress], Field(min_length=1, max_length=ADDRESSES_MAX)]


class LettersToDiscard(Letters):
    """Letters that nobody needs, and why."""

    reason: Annotated[Text, Field(min_length=1, max_length=REASON_CHARS_MAX, pattern=r"\S")]


class LettersReplayed(Output):
    """Letters put back; letters left alone, by their state; and those that were no request.

    `undecided` letters were part of a replay that was interrupted and cannot be found out about any more.
    """

    replayed: int
    left: dict[str, int]
    no_requests: int
    undecided: int


class LettersChanged(Output):
    """Letters discarded, or open again; letters left alone, by their state."""

    changed: int
    left: dict[str, int]


class PartitionHistory(Output):
    """A group in one partition over the last quarter of an hour: times in milliseconds since 1970, and beside each the
    records that waited and the next offset to work on, as decimal numbers with blanks between them."""

    group: str
    partition: int
    at: list[int]
    lag: str
    next: str


class Place(Output):
    """Where a record stands, and when the broker took it."""

    topic: str
    partition: int
    offset: Offset
    at: Time


class RequestStep(Output):
    """The request. `at` is null where the topic keeps it no longer."""

    topic: str
    partition: int
    offset: Offset
    at: Time | None


class RowStep(Output):
    """The row in the ledger."""

    source_wallet_id: str
    destination_wallet_id: str
    amount: Decimals
    currency: str
    status: Literal["COMPLETED", "FAILED"]
    reason: str | None
    source_balance: Decimals | None
    source_version: Offset | None
    destination_balance: Decimals | None
    destination_version: Offset | None
    requested_at: Time
    completed_at: Time
    reference: str | None
    metadata: dict[str, str] | None
    kind: str | None = None
    parent_id: str | None = None
    expires_at: Time | None = None


class OutcomeStep(Place):
    """The outcome record. `is_row`: it says what the row says."""

    is_row: bool


class NotificationStep(Place):
    """A message to one party. `is_handed_out`: whoever delivers has done with it."""

    recipient: Literal["sender", "receiver"] | None
    user_id: str | None
    wallet_id: str | None
    is_handed_out: bool


class AuditStep(Place):
    """The record in the audit chain. `hash_holds`: the hash is its own; `is_row`: it says what the row says."""

    sequence: Offset | None
    prev_hash: str | None
    hash: str | None
    hash_holds: bool
    is_row: bool


class TransferPath(Output):
    """The way of a transfer, as far as it has come. What is not there yet is null."""

    transfer_id: str
    request: RequestStep
    row: RowStep
    outcome: OutcomeStep | None
    notifications: list[NotificationStep]
    audit: AuditStep | None
