"""The one closed list of codes, each with what it means, what to do next and the status it comes with.

A code that is met in several places (an HTTP answer, a transfer's ``reason``, a dead letter's ``cause``, the command
line) is the same word in each. ``docs/errors.md`` is made of this list, and so is ``GET /v1/errors``.
"""

from enum import StrEnum
from typing import Self


class Code(StrEnum):
    """A code that carries a sentence or two for whoever meets it.

    ``statuses`` are those of HTTP, or the exit statuses of a command; a code on a topic has none.
    """

    meaning: str
    next_step: str
    statuses: tuple[int, ...]

    def __new__(cls, code: str, meaning: str, next_step: str, *statuses: int) -> Self:
        """The code, what it means, what to do next, and the statuses it comes with."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        member.next_step = next_step
        member.statuses = statuses
        return member

    @property
    def explanation(self) -> str:
        """What it means and what to do next."""
        return f"{self.meaning} {self.next_step}"


class FailureReason(Code):
    """Why a transfer FAILED. Listed in order of precedence: the first that holds is the one reported."""

    SAME_WALLET = "same_wallet", "Source and destination are the same wallet.", "Name two different wallets."
    WALLET_NOT_FOUND = "wallet_not_found", "A wallet of this transfer does not exist.", "Check both ids."
    WALLET_CLOSED = "wallet_closed", "A wallet of this transfer is closed.", "Use another wallet."
    WALLET_FROZEN = "wallet_frozen", "A wallet of this transfer is frozen.", "Have an admin unfreeze it first."
    CURRENCY_MISMATCH = (
        "currency_mismatch",
        "Both wallets must hold the currency of the transfer.",
        "Name wallets and a currency that fit together.",
    )
    PARENT_NOT_FOUND = (
        "parent_not_found",
        "The hold or transfer to draw on is not among those completed, or does not fit.",
        "Wait for its outcome, and check its id and the wallets.",
    )
    HOLD_EXPIRED = (
        "hold_expired",
        "The hold has come to its end; what was left goes back to its wallet.",
        "Hold the money anew.",
    )
    AMOUNT_EXCEEDS_REMAINING = (
        "amount_exceeds_remaining",
        "Less than the amount is left of the hold, or of what may be reversed.",
        "Look at what is left of it, and draw no more than that.",
    )
    LIMIT_EXCEEDED = (
        "limit_exceeded",
        "The amount is above the limit of the source wallet.",
        "Send less, or have the limit raised.",
    )
    INSUFFICIENT_FUNDS = (
        "insufficient_funds",
        "The source wallet holds less than the amount.",
        "Top it up first, then send a new transfer.",
    )
    BALANCE_OVERFLOW = (
        "balance_overflow",
        "The balance would outgrow 14 digits before the point.",
        "Move money out of the destination first.",
    )


class DeadLetterCause(Code):
    """Why a record could not become a transfer at all."""

    UNDECODABLE = (
        "undecodable",
        "The value is not JSON in UTF-8 with unique keys.",
        "Mend the producer and send it again.",
    )
    INVALID_REQUEST = (
        "invalid_request",
        "A field is missing, unknown or out of its range; the detail names it.",
        "Mend the producer and send it again.",
    )
    WRONG_KEY = (
        "wrong_key",
        "The record's key must be the source wallet's id as lower-case text.",
        "Mend the producer and send it again.",
    )
    TRANSFER_ID_REUSED = (
        "transfer_id_reused",
        "This transfer_id was used with other content.",
        "Send it under a new id.",
    )
    UNSIGNED_REQUEST = (
        "unsigned_request",
        "The record has no signature, and the workers want one.",
        "Sign it and send it again.",
    )
    INVALID_SIGNATURE = (
        "invalid_signature",
        "The signature is not that of a known key for this very value.",
        "Sign with a key that the workers know, and send it again.",
    )
    UNPROCESSABLE = (
        "unprocessable",
        "The ledger refuses this record alone, whatever is tried.",
        "Mend what the detail names, then replay it.",
    )


class ProblemCode(Code):
    """The ``code`` of an HTTP problem document."""

    INVALID_REQUEST = (
        "invalid_request",
        "A field is missing, unknown or out of its range.",
        "Mend the fields listed in `errors` and send the request again.",
        422,
    )
    MALFORMED_BODY = (
        "malformed_body",
        "The body cannot be read.",
        "Send one JSON document in UTF-8, with unique keys.",
        400,
    )
    MALFORMED_REQUEST = "malformed_request", "This is not HTTP.", "Send HTTP/1.1 as RFC 9112 has it.", 400
    HEAD_TOO_LARGE = (
        "head_too_large",
        "The address and the headers are longer than is read.",
        "Send a shorter address, or fewer and shorter headers.",
        431,
    )
    BODY_TOO_LARGE = "body_too_large", "The body is longer than is read.", "Send a smaller body.", 413
    UNSUPPORTED_MEDIA_TYPE = (
        "unsupported_media_type",
        "This path takes another kind of body.",
        "See the Accept header for the kind it takes.",
        415,
    )
    REQUEST_TIMEOUT = "request_timeout", "The request came in too slowly.", "Send it again.", 408
    UNAUTHENTICATED = (
        "unauthenticated",
        "There is no access token or API key, or none that is valid.",
        "Get a token from POST /v1/auth/token and send it as a Bearer token.",
        401,
    )
    INVALID_CREDENTIALS = (
        "invalid_credentials",
        "E-mail and password are not those of an active account.",
        "Check e-mail and password.",
        401,
        403,
    )
    INVALID_REFRESH_TOKEN = (
        "invalid_refresh_token",
        "The login is over, or the token was used before.",
        "Log in again.",
        401,
    )
    FORBIDDEN = "forbidden", "This account may not do that.", "Use an account that may.", 403
    NOT_FOUND = "not_found", "There is nothing at this path.", "Check the path.", 404
    METHOD_NOT_ALLOWED = (
        "method_not_allowed",
        "The path does not take this method.",
        "See the Allow header for what it takes.",
        405,
    )
    WALLET_NOT_FOUND = (
        "wallet_not_found",
        "There is no such wallet, or it is not the caller's.",
        "Check the wallet's id.",
        404,
    )
    VERSION_NOT_FOUND = (
        "version_not_found",
        "The wallet does not have so many entries yet.",
        "Ask for a version up to the wallet's own.",
        404,
    )
    TRANSFER_NOT_FOUND = (
        "transfer_not_found",
        "There is no such transfer, or it is not the caller's, or it has not been applied yet.",
        "Check the id, or follow the Location of the receipt.",
        404,
    )
    TRANSFER_REJECTED = (
        "transfer_rejected",
        "The request was set aside as a dead letter.",
        "Ask the operators for its cause.",
        409,
    )
    HOLD_NOT_FOUND = (
        "hold_not_found",
        "There is no such hold, or it is another's, or it was not completed.",
        "Check the id, and wait for the hold's outcome.",
        404,
    )
    NOTHING_LEFT = (
        "nothing_left",
        "All of it has been captured, voided or reversed.",
        "There is nothing more to draw on; look at what was drawn.",
        409,
    )
    TRANSFER_NOT_REVERSIBLE = (
        "transfer_not_reversible",
        "Only a completed transfer or capture can be reversed.",
        "Void a hold instead.",
        409,
    )
    REFERENCE_NOT_UNIQUE = (
        "reference_not_unique",
        "Several transfers have this reference.",
        "Name the one to reverse by its id.",
        409,
    )
    WEBHOOK_NOT_FOUND = (
        "webhook_not_found",
        "The account has no webhook.",
        "Set one with PUT /v1/webhook.",
        404,
    )
    LETTER_NOT_FOUND = "letter_not_found", "There is no such dead letter.", "List what there is.", 404
    LETTERS_BUSY = (
        "letters_busy",
        "Somebody else is replaying or discarding dead letters.",
        "Try again when that is done.",
        409,
    )
    LETTER_NOT_REPLAYABLE = (
        "letter_not_replayable",
        "The letter cannot be put back.",
        "See the detail for what is in the way.",
        409,
    )
    USER_NOT_FOUND = "user_not_found", "There is no such account, or it is another's.", "Check the user's id.", 404
    EMAIL_TAKEN = "email_taken", "An account with this e-mail exists.", "Log in instead.", 409
    WRONG_ROLE = (
        "wrong_role",
        "The account has another role, or is closed: keys are for active producers, passwords for people.",
        "Name an active account with the role that it takes.",
        409,
    )
    LAST_ADMIN = (
        "last_admin",
        "No other active admin would be left.",
        "Make another account an admin first.",
        409,
    )
    TOO_MANY_KEYS = (
        "too_many_keys",
        "The account has as many API keys as it may have.",
        "Revoke one first.",
        409,
    )
    KEY_NOT_FOUND = "key_not_found", "The account has no such API key.", "Check the key's id, and whose it is.", 404
    INVALID_RESET_TOKEN = (
        "invalid_reset_token",
        "The token was used, has expired or is none.",
        "Ask an admin for another.",
        403,
    )
    WALLET_NOT_EMPTY = (
        "wallet_not_empty",
        "The wallet holds money.",
        "Move it elsewhere, then close the wallet.",
        409,
    )
    WALLET_FROZEN = "wallet_frozen", "The wallet is frozen.", "Have an admin unfreeze it first.", 409
    WALLET_CLOSED = "wallet_closed", "The wallet is closed.", "Use another one; an admin may reopen it.", 409
    WALLET_EXISTS = (
        "wallet_exists",
        "The user has a wallet in this currency already.",
        "List the wallets and use that one.",
        409,
    )
    IDEMPOTENCY_KEY_REUSED = (
        "idempotency_key_reused",
        "The key, or the transfer_id, was used with another request.",
        "Use a new Idempotency-Key for a different request.",
        *(422, 409),
    )
    BROKER_UNAVAILABLE = (
        "broker_unavailable",
        "Kafka did not confirm the request in time.",
        "Retry with the same key.",
        503,
    )
    DATABASE_UNAVAILABLE = "database_unavailable", "PostgreSQL is away.", "Retry shortly.", 503
    SHUTTING_DOWN = (
        "shutting_down",
        "This process is about to stop.",
        "Send the request again; another one takes it.",
        503,
    )
    OVERLOADED = "overloaded", "Too much is in progress.", "Retry after the seconds in Retry-After.", 503
    TOO_MANY_REQUESTS = (
        "too_many_requests",
        "More came from this caller than one may send.",
        "Retry after the seconds in Retry-After.",
        429,
    )
    NOT_ACCEPTABLE = (
        "not_acceptable",
        "The path offers no format that the request accepts.",
        "See the documentation for the formats offered.",
        406,
    )
    INTERNAL_ERROR = "internal_error", "A fault of ours.", "Report the request id.", 500


class CliCode(Code):
    """What the ``hfts`` command names, in square brackets, behind the line that says why it ended."""

    COMMAND_REFUSED = "command_refused", "What was asked for cannot be done.", "Do what the line says.", 1
    SETTINGS_INVALID = (
        "settings_invalid",
        "A setting is missing or wrong.",
        "Set each variable that is listed; `hfts config` shows those in force.",
        1,
    )
    STACK_FAILED = (
        "stack_failed",
        "The embedded stack cannot start, run or stop.",
        "Do what the line says; its folder has the logs.",
        1,
    )
    DATABASE_UNAVAILABLE = (
        "database_unavailable",
        "PostgreSQL is away, refuses us, or has no ledger.",
        "Do what the line says, or run `hfts doctor`.",
        1,
    )
    BROKER_UNAVAILABLE = (
        "broker_unavailable",
        "Kafka is away, refuses us, or did not confirm in time.",
        "Do what the line says, or run `hfts doctor`.",
        1,
    )
    LETTER_NOT_FOUND = "letter_not_found", "There is no such dead letter.", "See `hfts dlq list`.", 1
    LETTERS_BUSY = (
        "letters_busy",
        "Somebody else is replaying or discarding dead letters.",
        "Try again when that is done.",
        1,
    )
    LETTER_NOT_REPLAYABLE = (
        "letter_not_replayable",
        "The letters cannot be put back or set aside.",
        "Do what the line says.",
        1,
    )
    AUDIT_CHAIN_BROKEN = (
        "audit_chain_broken",
        "A record of the audit topic does not follow from the one before it.",
        "Find out who has written there; `hfts audit verify` looks at all of it.",
        1,
    )
    EXPORT_BUSY = ("export_busy", "Another export writes to this folder.", "Run it again when that one is done.", 1)
    EXPORT_DAMAGED = (
        "export_damaged",
        "The folder does not hold what exports have written there.",
        "Bring back the file that is named, or export to a new folder.",
        1,
    )
    QUERY_REFUSED = (
        "query_refused",
        "The query cannot be answered, or would do more than read.",
        "Send one SELECT, as the line says.",
        1,
    )
    PACKAGE_MISSING = (
        "package_missing",
        "A package that only some commands need is not installed.",
        "Install what the line names.",
        1,
    )
    TRANSFER_NOT_FOUND = (
        "transfer_not_found",
        "The ledger has no such transfer.",
        "Check the id; what is pending has no outcome yet.",
        1,
    )
    AUDIT_NOT_SIGNED = (
        "audit_not_signed",
        "No checkpoint of the audit covers it yet.",
        "Ask again in a minute; `hfts lag` shows whether `downstream` keeps up.",
        1,
    )
    CHECKPOINT_BROKEN = (
        "checkpoint_broken",
        "The audit is not what was signed, or not signed with a key that is believed.",
        "Run `hfts audit verify`, and see docs/audit.md.",
        1,
    )
