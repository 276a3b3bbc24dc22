"""The answer to a batch: results in the order of its lines, while they come in."""

from collections.abc import Sequence

import orjson
import structlog
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ingest_api.batch_lines import BatchEndedError, Line, LineReader, read_lines
from ingest_api.batch_outbox import MEDIA_TYPE, Outbox
from ingest_api.batch_submission import BatchSubmission, Result
from ingest_api.draining import Draining
from ingest_api.in_progress import IN_PROGRESS_KEY, InProgress
from ingest_api.problems import ProblemError, invalid_request, problem_document
from ingest_api.receipts import ReceiptSigner
from ingest_api.tokens import Caller

LINE_ERRORS_MAX = 3
"""Fields at fault that the result of one line names."""

_log = structlog.get_logger(__name__)


class BatchAnswer(Response):
    """Reads the batch as it sends the results."""

    media_type = MEDIA_TYPE
    background: BackgroundTask | None = None

    def __init__(
        self, submission: BatchSubmission, receipts: ReceiptSigner, caller: Caller, draining: Draining
    ) -> None:
        self._submission = submission
        self._receipts = receipts
        self._caller = caller
        self._draining = draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer. Raises ProblemError where there is no line to answer, or too much is in progress."""
        in_progress: InProgress = scope[IN_PROGRESS_KEY]
        with in_progress.batch(self._caller.user_id):
            outbox = Outbox(send)
            try:
                await self._answer(scope, receive, outbox)
            except ClientDisconnect:
                _log.info("http.batch_left", caller=self._caller.user_id)
            finally:
                await outbox.abandon()

    async def _answer(self, scope: Scope, receive: Receive, outbox: Outbox) -> None:
        try:
            async for lines in read_lines(receive, LineReader(), self._draining):
                results = await self._submission.submit(lines)
                await outbox.put(self._encoded(scope, lines, results))
        except BatchEndedError as end:
            if outbox.is_empty:
                raise end.problem from None
            await outbox.put(_refusal(scope, end.number, end.problem))
        if outbox.is_empty:
            raise invalid_request(("body", "send at least one line"))
        await outbox.finish()

    def _encoded(self, scope: Scope, lines: Sequence[Line], results: Sequence[Result]) -> bytes:
        return b"".join(
            _refusal(scope, line.number, result)
            if isinstance(result, ProblemError)
            # Nothing in it needs to be escaped.
            else (
                f'{{"line":{line.number},"transfer_id":"{result.transfer_id}","status":"PENDING",'
                f'"location":"/v1/transfers/{result.transfer_id}?receipt={self._receipts.sign(result)}"}}\n'
            ).encode()
            for line, result in zip(lines, results, strict=True)
        )


def _refusal(scope: Scope, number: int, problem: ProblemError) -> bytes:
    document = problem_document(scope, problem, errors_max=LINE_ERRORS_MAX)
    return orjson.dumps({"line": number, **document}, option=orjson.OPT_APPEND_NEWLINE)
