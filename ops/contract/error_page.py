"""The page that lists the codes."""

from schemas.error_list import Occurrence, Where, occurrences

_PLACES: dict[Where, str] = {
    "http": "HTTP",
    "transfer": "FAILED transfer",
    "dead_letter": "dead letter",
    "cli": "command line",
}
_HEAD = """# Error codes

The one closed list, made of `schemas/codes.py` by `make contract`. `GET /v1/errors` serves the same, and the `doc_url`
of a problem leads to its code there. Codes are never renamed or removed; the list may grow, so take one that you do not
know by its status.

| met in | as |
|---|---|
| HTTP | the `code` of an answer `application/problem+json` (RFC 9457), also in a line of a batch |
| FAILED transfer | the `reason` of a transfer and of its outcome record |
| dead letter | the header `cause` of a record on `transfers.dead-letter`, and in `hfts dlq` |
| command line | in square brackets behind the last line that `hfts` writes to standard error |

`hfts` ends with 0 when all is well, with 1 for an error or when a check fails (`hfts reconcile`, `hfts doctor`,
`hfts audit verify`, `hfts audit balance`, `hfts load`,
`hfts demo`), with 2 when it is called in a wrong way, and with 130 after Ctrl-C.

What may be tried again as it was: whatever is answered 408, 429 or 503 (after `Retry-After`), and 500, where it has a
`transfer_id` or an `Idempotency-Key`. All others need a change first.

| code | met in | status | what it means | what to do next |
|---|---|---|---|---|
"""


def error_page() -> str:
    """The page as Markdown."""
    return _HEAD + "".join(map(_row, occurrences()))


def _row(found: Occurrence) -> str:
    code = found.code
    statuses = ", ".join(map(str, code.statuses))
    return f"| `{code}` | {_PLACES[found.where]} | {statuses} | {code.meaning} | {code.next_step} |\n"
