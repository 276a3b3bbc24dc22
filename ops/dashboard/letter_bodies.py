"""Letters as the page gets them. Pure."""

import codecs
from itertools import islice

from ops.dashboard.bodies import Letter, LetterHeader, LetterSummary, ShownBytes
from ops.dlq.actions import Known
from ops.dlq.advice import explain_cause, next_step
from ops.dlq.plain import hex_dump, printable
from ops.dlq.replaying import is_request
from ops.dlq.table import letter_json
from schemas.settings import Settings

TEXT_BYTES_MAX = 64 * 1024
HEX_LINES_MAX = 256
HEADERS_MAX = 100


def summary_of(known: Known) -> LetterSummary:
    """A letter without its bytes."""
    return LetterSummary(**_values(known))


def letter_of(settings: Settings, known: Known) -> Letter:
    """Everything about it, of its bytes the first 64 KB."""
    letter = known.letter
    return Letter(
        **_values(known),
        explanation=explain_cause(letter.cause),
        next_step=next_step(known),
        is_replayable=is_request(letter, settings),
        headers=[LetterHeader(name=name, value=shown(value)) for name, value in islice(letter.headers, HEADERS_MAX)],
        header_count=len(letter.headers),
        key=shown(letter.key),
        value=shown(letter.value),
    )


def shown(raw: bytes | None) -> ShownBytes | None:
    """Bytes as text, where they are, and in hexadecimal."""
    if raw is None:
        return None
    head = raw[:TEXT_BYTES_MAX]
    lines = list(islice(hex_dump(head), HEX_LINES_MAX))
    return ShownBytes(size=len(raw), text=_text(head), hex=lines, is_cut=len(raw) > len(head))


def _text(head: bytes) -> str | None:
    try:
        # A character that is cut in two at the end is left out.
        whole = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return None
    return printable(whole.encode())


def _values(known: Known) -> dict[str, object]:
    values = letter_json(known)
    for name in ("source_offset", "request_offset"):
        values[name] = None if values[name] is None else str(values[name])
    del values["partition"], values["offset"]
    return values
