"""Reading answers."""

import email.utils
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from hfts_client.effects import Answer
from hfts_client.errors import ApiError, BadAnswerError, FieldError, error_class
from hfts_client.models import Answered

T = TypeVar("T")

EVENT_STREAM = "text/event-stream"

_OK = 200
_REFUSED = 400
_TEXT_CHARS_MAX = 200


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """The members of a problem document that matter here. ``line`` is that of a batch."""

    status: int
    code: str
    detail: str = ""
    errors: list[FieldError] = []
    request_id: str | None = None
    line: int | None = None


def is_refusal(answer: Answer) -> bool:
    """Whether it says no."""
    return answer.status >= _REFUSED


def is_event_stream(answer: Answer) -> bool:
    """Whether it is a stream of events, whose content comes piece by piece."""
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return answer.status == _OK and kind == EVENT_STREAM


def read(answer: Answer, kind: type[T]) -> T:
    """The body as this kind, with the request's id where it has a place. Raises BadAnswerError."""
    try:
        found = msgspec.json.decode(answer.content, type=kind)
    except msgspec.DecodeError as error:
        raise _bad(answer, str(error)) from None
    if isinstance(found, Answered):
        msgspec.structs.force_setattr(found, "request_id", answer.request_id)
    return found


def error_of(answer: Answer, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> ApiError:
    """The refusal as an exception, also one that something between us and the API has made."""
    problem: Problem | None
    try:
        problem = msgspec.json.decode(answer.content, type=Problem)
    except msgspec.DecodeError:
        problem = None
    code, detail = (problem.code, problem.detail) if problem else ("", "an answer that is not the API's")
    return error_class(answer.status, code)(
        answer.status,
        code,
        detail,
        errors=problem.errors if problem else (),
        request_id=answer.request_id or (problem.request_id if problem else None),
        retry_after_s=retry_after_s(answer.headers.get("retry-after"), now),
    )


def error_of_line(problem: Problem) -> ApiError:
    """The refusal of one line of a batch."""
    return error_class(problem.status, problem.code)(
        problem.status, problem.code, problem.detail, errors=problem.errors, request_id=problem.request_id
    )


def retry_after_s(value: str | None, now: Callable[[], datetime]) -> float | None:
    """Seconds to wait, of a number of them or a date (RFC 9110 section 10.2.3); None where it is neither."""
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    in_utc = moment if moment.tzinfo else moment.replace(tzinfo=UTC)  # -0000 names no zone
    return max(0.0, (in_utc - now()).total_seconds())


def encoded(body: Any) -> bytes:
    """As JSON."""
    return msgspec.json.encode(body)


def _bad(answer: Answer, detail: str) -> BadAnswerError:
    request = f" (request {answer.request_id})" if answer.request_id else ""
    return BadAnswerError(
        f"an answer with status {answer.status} that cannot be read: {detail[:_TEXT_CHARS_MAX]}{request}"
    )
