"""What stands on the command line, checked. Mistakes raise typer.BadParameter, for which the exit status is 2."""

from collections.abc import Iterable
from datetime import UTC, datetime

import typer

from ops.dlq.address import Address, parse_address
from ops.dlq.letters import UNREADABLE
from ops.dlq.listing import ANY_STATE, STILL_OPEN
from ops.dlq.moments import parse_moment
from ops.dlq.selection import Selection, State
from schemas.codes import DeadLetterCause

REASON_CHARS_MAX = 500

STATES = {
    "open": STILL_OPEN,
    "replayed": frozenset({State.REPLAYED}),
    "discarded": frozenset({State.DISCARDED}),
    "all": ANY_STATE,
}
_CAUSES = (*map(str, DeadLetterCause), UNREADABLE)


def addresses_of(texts: Iterable[str]) -> list[Address]:
    """Addresses in the order given."""
    try:
        return [parse_address(text) for text in texts]
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def states_of(text: str) -> frozenset[State]:
    """The states that are meant. A letter whose replay is not known to be done still counts as open."""
    if text not in STATES:
        raise typer.BadParameter(f"--state is {', '.join(STATES)}; not {text!r}")
    return STATES[text]


def selection_of(
    *, causes: list[str] | None, partitions: list[int] | None, since: str | None, until: str | None
) -> Selection:
    """The filters, all of which must hold."""
    unknown = sorted(set(causes or []) - set(_CAUSES))
    if unknown:
        raise typer.BadParameter(f"there is no cause {unknown[0]!r}: they are {', '.join(_CAUSES)}")
    now = datetime.now(UTC)
    try:
        return Selection(
            causes=frozenset(causes or []),
            partitions=frozenset(partitions or []),
            since=None if since is None else parse_moment(since, now),
            until=None if until is None else parse_moment(until, now),
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def chosen(
    addresses: list[str] | None,
    *,
    everything: bool,
    causes: list[str] | None,
    partitions: list[int] | None,
    since: str | None,
    until: str | None,
) -> Selection:
    """Addresses, or filters, or --all: one of the three."""
    filters = selection_of(causes=causes, partitions=partitions, since=since, until=until)
    given = [bool(addresses), not filters.is_everything, everything]
    if not any(given):
        raise typer.BadParameter("name letters by address, or by filters such as --cause, or take them all with --all")
    if sum(given) > 1:
        raise typer.BadParameter("name letters by address, by filters or with --all: only one of the three")
    return Selection(addresses=frozenset(addresses_of(addresses))) if addresses else filters


def reason_of(text: str | None) -> str:
    """The reason, which must be there."""
    reason = (text or "").strip()
    if not reason or len(reason) > REASON_CHARS_MAX or "\x00" in reason:
        raise typer.BadParameter(f"say why with --reason TEXT, in at most {REASON_CHARS_MAX} characters")
    return reason
