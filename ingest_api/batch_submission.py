"""The lines of a batch, each to its result: checked one by one, published together."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from uuid_utils import uuid7

from ingest_api.batch_lines import Line
from ingest_api.body_limits import BODY_BYTES_MAX
from ingest_api.metrics import ACCEPTED
from ingest_api.owners import WalletOwners
from ingest_api.problems import ProblemError, invalid_request, wallet_not_found
from ingest_api.receipts import Receipt
from ingest_api.submission import Accepted, Submitter, fingerprint_of, receipt_of, transfer_id_of_key, unconfirmed
from ingest_api.tokens import Caller
from ingest_api.transfer_body import PlainLine, read_line_strictly, read_plain_line, request_of
from schemas.access import Right
from schemas.codes import ProblemCode
from schemas.http_batch import NewTransferLine
from schemas.transfers import InvalidRequestError, TransferRequest, encode_request
from sinks.directory.wallets import Owner
from sinks.errors import DatabaseAwayError
from sinks.kafka.positions import Position

LINES_A_TURN = 100
"""How many are checked before others have their turn: some 2 ms of work."""

Result: TypeAlias = Receipt | ProblemError


@dataclass(slots=True)
class _Draft:
    """A line that is right in itself. ``is_repeatable``: its sender chose its id, so that it may come again."""

    request: TransferRequest
    is_repeatable: bool


@dataclass(slots=True)
class _New:
    """Drafts to publish, each once; and which of them stands for a line."""

    drafts: list[_Draft]
    fingerprints: dict[str, tuple[int, bytes]]  # of those that may come again: place among the drafts, content


class BatchSubmission:
    """Submits one batch of one caller's."""

    def __init__(self, submitter: Submitter, owners: WalletOwners, caller: Caller) -> None:
        self._submitter = submitter
        self._owners = owners
        self._caller = caller
        self._is_broker_away = False

    async def submit(self, lines: Sequence[Line]) -> list[Result]:
        """For each line the receipt of its transfer, or why there is none: what a request of its own would get.

        Lines are published in their order. Once Kafka has not confirmed one, no more are sent to it: their results are
        problems like that one's, each with its transfer id to retry under.
        """
        now = datetime.now(UTC)
        drafts: list[_Draft | ProblemError] = []
        for number, line in enumerate(lines, 1):
            drafts.append(self._draft(line, now))
            if number % LINES_A_TURN == 0:
                await asyncio.sleep(0)
        granted = await self._granted(drafts)
        repeatable = [each.request.transfer_id for each in granted if isinstance(each, _Draft) and each.is_repeatable]
        known = await self._submitter.known(self._caller, repeatable)
        new = _New([], {})
        # What to publish, by its place among the new drafts, or what need not be.
        found = [each if isinstance(each, ProblemError) else self._place(each, new, known) for each in granted]
        positions = await self._publish(new.drafts)
        results = [self._result(*pair, now, new) for pair in zip(new.drafts, positions, strict=True)]
        return [results[each] if isinstance(each, int) else each for each in found]

    def _draft(self, line: Line, now: datetime) -> _Draft | ProblemError:
        if line.raw is None:
            detail = f"A line may have at most {BODY_BYTES_MAX} bytes."
            return ProblemError(413, ProblemCode.BODY_TOO_LARGE, detail)
        fields = read_plain_line(line.raw)
        if fields is not None:
            try:
                return self._draft_of(fields, now)
            except InvalidRequestError:
                pass  # the long way finds the fields at fault
        try:
            return self._draft_of(read_line_strictly(line.raw), now)
        except InvalidRequestError as error:
            return invalid_request(("body", str(error)))
        except ProblemError as problem:
            return problem

    def _draft_of(self, fields: PlainLine | NewTransferLine, now: datetime) -> _Draft | ProblemError:
        key, transfer_id = fields.idempotency_key, fields.transfer_id
        if key is not None:
            if transfer_id is not None:
                return invalid_request(("transfer_id", "give either a transfer_id or an idempotency_key, not both"))
            transfer_id = transfer_id_of_key(self._caller, key)
        return _Draft(request_of(fields, transfer_id or str(uuid7()), now), transfer_id is not None)

    async def _granted(self, drafts: Sequence[_Draft | ProblemError]) -> list[_Draft | ProblemError]:
        """The same, but for those that would take money out of a wallet that the caller may not use."""
        wallets = {draft.request.source_wallet_id for draft in drafts if isinstance(draft, _Draft)}
        owners: Mapping[str, Owner]
        try:
            owners, missing = await self._owners.known(wallets), wallet_not_found()
        except DatabaseAwayError:
            owners = self._owners.remembered(wallets)
            missing = ProblemError(503, ProblemCode.DATABASE_UNAVAILABLE)
        refused = {
            wallet_id: missing if owner is None else wallet_not_found()
            for wallet_id in wallets
            if (owner := owners.get(wallet_id)) is None
            or not (owner.user_id == self._caller.user_id or self._caller.may(Right.MOVE_ALL))
        }
        if not refused:
            return list(drafts)
        return [
            refused.get(draft.request.source_wallet_id, draft) if isinstance(draft, _Draft) else draft
            for draft in drafts
        ]

    def _place(self, draft: _Draft, new: _New, known: Mapping[str, Accepted]) -> Result | int:
        if draft.is_repeatable:
            transfer_id, fingerprint = draft.request.transfer_id, fingerprint_of(self._caller, draft.request)
            accepted = known.get(transfer_id)
            place, used = new.fingerprints.get(transfer_id, (-1, None))
            if accepted is not None:
                used = accepted.fingerprint
            if used is not None and used != fingerprint:
                return ProblemError(422, ProblemCode.IDEMPOTENCY_KEY_REUSED)
            if accepted is not None:
                return accepted.receipt
            if used is not None:
                return place
            new.fingerprints[transfer_id] = len(new.drafts), fingerprint
        new.drafts.append(draft)
        return len(new.drafts) - 1

    async def _publish(self, drafts: Sequence[_Draft]) -> Sequence[Position | None]:
        if not drafts or self._is_broker_away:
            return [None] * len(drafts)
        requests = [draft.request for draft in drafts]
        positions = await self._submitter.publish_all(
            [(request.source_wallet_id.encode(), encode_request(request)) for request in requests]
        )
        self._is_broker_away = None in positions
        ACCEPTED.labels("transfer").inc(len(positions) - positions.count(None))
        return positions

    def _result(self, draft: _Draft, position: Position | None, now: datetime, new: _New) -> Result:
        transfer_id = draft.request.transfer_id
        if position is None:
            return unconfirmed(transfer_id)
        if not draft.is_repeatable:
            return receipt_of(self._caller, transfer_id, position, None)
        fingerprint = new.fingerprints[transfer_id][1]
        receipt = receipt_of(self._caller, transfer_id, position, fingerprint)
        self._submitter.remember(Accepted(receipt, now, fingerprint))
        return receipt
