"""The closed lists of codes, each with what it means and what to do next."""

from enum import StrEnum
from typing import Self


class _Explained(StrEnum):
    """A code that carries one sentence for the person who meets it."""

    explanation: str

    def __new__(cls, code: str, explanation: str) -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.explanation = explanation
        return member


class FailureReason(_Explained):
    """Why a transfer FAILED. Listed in order of precedence: the first that holds is the one reported."""

    SAME_WALLET = "same_wallet", "Source and destination are the same wallet. Name two different wallets."
    WALLET_NOT_FOUND = "wallet_not_found", "A wallet of this transfer does not exist. Check both ids."
    WALLET_FROZEN = "wallet_frozen", "A wallet of this transfer is not active. Have it unfrozen first."
    CURRENCY_MISMATCH = "currency_mismatch", "Both wallets must hold the currency of the transfer."
    LIMIT_EXCEEDED = "limit_exceeded", "The amount is above the limit of the source wallet."
    INSUFFICIENT_FUNDS = "insufficient_funds", "The source wallet holds less than the amount. Top it up first."
    BALANCE_OVERFLOW = "balance_overflow", "The balance would outgrow 14 digits before the point."


class DeadLetterCause(_Explained):
    """Why a record could not become a transfer at all."""

    UNDECODABLE = "undecodable", "The value is not JSON in UTF-8 with unique keys. Mend the producer and send it again."
    INVALID_REQUEST = "invalid_request", "A field is missing, unknown or out of its range; the detail names it."
    WRONG_KEY = "wrong_key", "The record's key must be the source wallet's id as lower-case text."
    TRANSFER_ID_REUSED = "transfer_id_reused", "This transfer_id was used with other content. Send it under a new id."
    UNSIGNED_REQUEST = (
        "unsigned_request",
        "The record has no signature, and the workers want one. Sign it and send it again.",
    )
    INVALID_SIGNATURE = "invalid_signature", "The signature is not that of a known key for this very value."
    UNPROCESSABLE = "unprocessable", "The ledger refuses this record alone, whatever is tried. See the detail."


class ProblemCode(_Explained):
    """The ``code`` of an HTTP problem document."""

    INVALID_REQUEST = "invalid_request", "Mend the fields listed in `errors` and send the request again."
    MALFORMED_BODY = "malformed_body", "Send one JSON document in UTF-8, with unique keys."
    MALFORMED_REQUEST = "malformed_request", "Send HTTP/1.1 as RFC 9112 has it."
    HEAD_TOO_LARGE = "head_too_large", "Send a shorter address, or fewer and shorter headers."
    BODY_TOO_LARGE = "body_too_large", "Send a smaller body."
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type", "See the Accept header for the kind of body this path takes."
    REQUEST_TIMEOUT = "request_timeout", "The request came in too slowly. Send it again."
    UNAUTHENTICATED = "unauthenticated", "Get a token from POST /v1/auth/token and send it as a Bearer token."
    INVALID_CREDENTIALS = "invalid_credentials", "Check e-mail and password."
    INVALID_REFRESH_TOKEN = "invalid_refresh_token", "The login is over, or the token was used before. Log in again."
    FORBIDDEN = "forbidden", "This account may not do that."
    NOT_FOUND = "not_found", "Check the path."
    METHOD_NOT_ALLOWED = "method_not_allowed", "See the Allow header for what this path accepts."
    WALLET_NOT_FOUND = "wallet_not_found", "Check the wallet's id."
    TRANSFER_NOT_FOUND = "transfer_not_found", "Check the id, or follow the Location of the receipt."
    TRANSFER_REJECTED = (
        "transfer_rejected",
        "The request was set aside as a dead letter. Ask the operators for its cause.",
    )
    LETTER_NOT_FOUND = "letter_not_found", "There is no such dead letter. List what there is."
    LETTERS_BUSY = "letters_busy", "Somebody else is replaying or discarding dead letters. Try again when that is done."
    LETTER_NOT_REPLAYABLE = "letter_not_replayable", "See the detail for what keeps the letter from being put back."
    USER_NOT_FOUND = "user_not_found", "Check the user's id."
    EMAIL_TAKEN = "email_taken", "An account with this e-mail exists. Log in instead."
    WALLET_EXISTS = "wallet_exists", "The user has a wallet in this currency already."
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused", "Use a new Idempotency-Key for a different request."
    BROKER_UNAVAILABLE = "broker_unavailable", "Kafka did not confirm the request in time. Retry with the same key."
    DATABASE_UNAVAILABLE = "database_unavailable", "PostgreSQL is away. Retry shortly."
    SHUTTING_DOWN = "shutting_down", "This process is about to stop. Send the request again; another one takes it."
    OVERLOADED = "overloaded", "Too much is in progress. Retry after the seconds in Retry-After."
    TOO_MANY_REQUESTS = "too_many_requests", "Slow down. Retry after the seconds in Retry-After."
    NOT_ACCEPTABLE = "not_acceptable", "See the documentation for the formats offered."
    INTERNAL_ERROR = "internal_error", "A fault of ours. Report the request id."
