"""Everything about one letter, for a person."""

from collections.abc import Iterator

from ops.dlq.actions import Action, Known
from ops.dlq.advice import explain_cause, next_step
from ops.dlq.plain import plain, shown_bytes
from ops.dlq.selection import State
from schemas.headers import Headers


def letter_lines(known: Known) -> Iterator[str]:
    """The lines that `hfts dlq show` prints."""
    letter, note = known.letter, known.letter.note
    yield f"letter:    {letter.address}, written {letter.at.isoformat()}"
    yield f"state:     {known.state}{'' if known.action is None else _done(known.action)}"
    yield f"cause:     {plain(letter.cause)}: {explain_cause(letter.cause)}"
    if note is not None:
        yield f"detail:    {plain(note.detail)}"
        yield f"source:    {plain(note.topic)}, partition {note.partition}, offset {note.offset}"
    yield f"transfer:  {letter.transfer_id or '(cannot be read)'}"
    yield f"next step: {next_step(known)}"
    yield ""
    yield "own headers:"
    yield from _header_lines(letter.headers)
    yield "key:"
    yield from shown_bytes(letter.key)
    yield f"value ({0 if letter.value is None else len(letter.value):,} bytes):"
    yield from shown_bytes(letter.value)


def _done(action: Action) -> str:
    when = action.done_at or action.began_at
    text = f" by {plain(action.actor)} at {when.isoformat(timespec='seconds')}"
    if action.reason is not None:
        text += f", because: {plain(action.reason)}"
    if action.state is State.REPLAYED:
        text += f", as request {action.request_partition}:{action.request_offset}"
    return text


def _header_lines(headers: Headers) -> Iterator[str]:
    if not headers:
        yield "(none)"
    for name, value in headers:
        yield f"  {plain(name)}: {' '.join(shown_bytes(value))}"
