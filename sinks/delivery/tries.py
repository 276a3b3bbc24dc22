"""When something is tried, for how long, how often, and what follows from how a try ended."""

from typing import Literal, TypeAlias

import msgspec

from sinks.masking import mask_text

TRY_S_MAX = 300.0
"""Of one try, whatever the channel."""

LEASE_S = TRY_S_MAX + 30.0
"""After this a try whose end nobody has noted counts as cut off, and another one may begin."""

RETRIES_MAX = 3
TRIES_MAX = 1 + RETRIES_MAX

PAUSE_S_FIRST = 60.0
PAUSE_GROWTH = 4.0
PAUSE_S_MAX = 600.0

CUT_OFF = "every try was cut off: it may have arrived"

WHY_CHARS_MAX = 300

Status: TypeAlias = Literal["pending", "delivered", "failed"]


class Verdict(msgspec.Struct, frozen=True):
    """How a try ended: the other side has ``accepted`` it, has ``refused`` it for good, or it ``failed`` and may pass
    another time. ``pause_s`` is the least time until then that the other side has asked for."""

    how: Literal["accepted", "refused", "failed"]
    why: str | None = None
    pause_s: float = 0.0


ACCEPTED = Verdict("accepted")


def refused(why: str) -> Verdict:
    """It will be refused whenever it is tried. Addresses in the reason are masked, since mail servers repeat them."""
    return Verdict("refused", mask_text(why)[:WHY_CHARS_MAX])


def failed(why: str, pause_s: float = 0.0) -> Verdict:
    """It may go through another time; likewise."""
    return Verdict("failed", mask_text(why)[:WHY_CHARS_MAX], pause_s)


class Step(msgspec.Struct, frozen=True):
    """What follows: the row's next status, in how many seconds it is due where that is pending, and what went wrong."""

    status: Status
    pause_s: float
    why: str | None


def after(verdict: Verdict, tries: int, share: float) -> Step:
    """What follows from this try, the ``tries``-th one; ``share``, a random number from 0 to 1, is its jitter."""
    if verdict.how == "accepted":
        return Step("delivered", 0.0, None)
    if verdict.how == "refused" or tries >= TRIES_MAX:
        return Step("failed", 0.0, verdict.why)
    return Step("pending", max(pause_s(tries, share), min(verdict.pause_s, PAUSE_S_MAX)), verdict.why)


def pause_s(tries: int, share: float) -> float:
    """How long to wait after so many tries: any part of a bound that grows from 60 s to 600 s ("full jitter").

    So those that failed together, because a server was away, do not come back together.
    """
    return share * min(PAUSE_S_MAX, PAUSE_S_FIRST * PAUSE_GROWTH ** (tries - 1))
