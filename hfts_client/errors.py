"""What can go wrong. A transfer that FAILED is no error: it is an outcome, with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from hfts_client.models import Receipt


class HftsError(Exception):
    """Everything that this package raises, but for TypeError and ValueError on arguments that cannot be right."""


class ConnectionFailedError(HftsError):
    """No answer. ``was_sent``: the request may have arrived, so that only a repeatable one may be sent again."""

    def __init__(self, message: str, *, was_sent: bool = True) -> None:
        super().__init__(message)
        self.was_sent = was_sent


class TimedOutError(ConnectionFailedError):
    """No answer in time."""


class BadAnswerError(HftsError):
    """The answer is none of this API's: look at the address, and at what stands between."""


class OutcomePendingError(HftsError):
    """The transfer is accepted, and was not decided within the time to wait. It will be: wait again.

    ``location`` is where to ask; ``receipt`` is None where only the location was known.
    """

    def __init__(self, location: str, receipt: Receipt | None, request_id: str | None) -> None:
        super().__init__("the transfer is accepted and not decided yet: wait for it again")
        self.location = location
        self.receipt = receipt
        self.request_id = request_id


class UnconfirmedError(HftsError):
    """Kafka did not confirm the request. It may arrive nevertheless: submit it again under the same ``transfer_id``."""

    def __init__(self, transfer_id: UUID, detail: str) -> None:
        super().__init__(f"Kafka did not confirm transfer {transfer_id}: {detail}")
        self.transfer_id = transfer_id


@dataclass(frozen=True, slots=True)
class FieldError:
    """A field at fault and what is wrong with it."""

    field: str
    message: str


class ApiError(HftsError):
    """The API says no, in a problem document (RFC 9457).

    ``code`` is of the API's closed list, which may grow; "" where something in between has answered. ``detail`` says
    what to do next. ``retry_after_s`` is what the API asks to wait.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        request_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(status, code, detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.request_id = request_id
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        fields = "".join(f"; {error.field}: {error.message}" for error in self.errors)
        request = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.status} {self.code or 'no code'}: {self.detail}{fields}{request}"


class InvalidRequestError(ApiError):
    """400, 413, 415 and 422: ``errors`` names the fields. Sending the same again has the same answer."""


class IdempotencyKeyReusedError(InvalidRequestError):
    """422: the key, or the transfer's id, was used for something else."""


class AuthenticationError(ApiError):
    """401: the credentials are not right, or no longer."""


class PermissionDeniedError(ApiError):
    """403: this account may not do that."""


class NotFoundError(ApiError):
    """404: there is none, or it is another's."""


class ConflictError(ApiError):
    """409: what is there does not allow it."""


class TransferRejectedError(ConflictError):
    """409: the request was read, and set aside as a dead letter."""


class RateLimitedError(ApiError):
    """429, still after the retries."""


class UnavailableError(ApiError):
    """502, 503 and 504, still after the retries. Nothing is lost: the same key may be used again later."""


class ServerFaultError(ApiError):
    """Another status from 500 on: a fault of the API's. Report the request id."""


_BY_CODE: dict[str, type[ApiError]] = {
    "idempotency_key_reused": IdempotencyKeyReusedError,
    "transfer_rejected": TransferRejectedError,
}
_BY_STATUS: dict[int, type[ApiError]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    413: InvalidRequestError,
    415: InvalidRequestError,
    422: InvalidRequestError,
    429: RateLimitedError,
    502: UnavailableError,
    503: UnavailableError,
    504: UnavailableError,
}
_SERVER_FAULT = 500


def error_class(status: int, code: str) -> type[ApiError]:
    """The exception for an answer."""
    found = _BY_CODE.get(code) or _BY_STATUS.get(status)
    if found is not None:
        return found
    return ServerFaultError if status >= _SERVER_FAULT else ApiError
