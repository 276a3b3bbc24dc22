"""Every fault that can be made, each as a card: what it is, what it strikes, and how long it lasts. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.crash_points import CrashPoint

API_POINTS = (CrashPoint.BEFORE_ACCEPT, CrashPoint.AFTER_ACCEPT)
DELIVERER_POINTS = (CrashPoint.AFTER_CLAIM, CrashPoint.AFTER_HANDOVER, CrashPoint.AFTER_NOTE)
"""Passed where something goes out to people, which it does not here."""
ONCE_POINTS = (CrashPoint.WITHIN_FENCE, CrashPoint.AFTER_FENCE, CrashPoint.AFTER_RESUME)
"""Passed once for each assignment, not for each batch."""

SESSION_TIMEOUT_S = 6.0
"""After which a silent worker's partitions are given away."""

MOMENT_S = (0.0, 0.0)
OUTLASTS_SESSION_S = (SESSION_TIMEOUT_S + 2.0, SESSION_TIMEOUT_S + 5.0)
A_WHILE_S = (1.0, SESSION_TIMEOUT_S + 4.0)


@dataclass(frozen=True, slots=True)
class Card:
    """``kind`` of fault and its ``target``: a process, ``worker-1/kafka`` for what is between two, or ``all``."""

    kind: str
    target: str
    hold_s_min: float = 0.0
    hold_s_max: float = 0.0
    detail: str = ""

    @property
    def role(self) -> str:
        """The target without its number: ``worker``, ``kafka``, ``worker/kafka``."""
        return "/".join(part.rstrip("0123456789").rstrip("-") for part in self.target.split("/"))


@dataclass(frozen=True, slots=True)
class Topology:
    """The names of what there is."""

    workers: tuple[str, ...]
    brokers: tuple[str, ...]
    apis: tuple[str, ...] = ("api",)

    @property
    def own(self) -> tuple[str, ...]:
        """The processes that are ours."""
        return (*self.workers, "downstream", *self.apis)

    @property
    def links(self) -> tuple[str, ...]:
        """What lies between each of them and its servers."""
        return tuple(f"{name}/{server}" for name in self.own for server in ("kafka", "postgres"))


def topology(workers: int, brokers: int, apis: int = 1) -> Topology:
    """So many workers, brokers and API processes."""
    return Topology(
        tuple(f"worker-{number}" for number in range(1, workers + 1)),
        tuple(f"kafka-{number}" for number in range(1, brokers + 1)),
        ("api", *(f"api-{number}" for number in range(2, apis + 1))),
    )


def full_deck(there: Topology) -> list[Card]:
    """Every fault on every target once."""
    return [*_signals(there), *_network(there), *_commits(there), *_crashes(there), *_others(there)]


def crash_points(name: str) -> tuple[CrashPoint, ...]:
    """The points that a process passes."""
    if name.startswith("api"):
        return API_POINTS
    return tuple(point for point in CrashPoint if point not in API_POINTS + DELIVERER_POINTS)


def choose(deck: Iterable[Card], wanted: str) -> list[Card]:
    """The cards whose ``kind target`` contains one of the comma-separated words, all for an empty text.

    Raises ValueError when none does.
    """
    words = [word.strip() for word in wanted.split(",") if word.strip()]
    chosen = [card for card in deck if not words or any(word in f"{card.kind} {card.target}" for word in words)]
    if not chosen:
        raise ValueError(f"no fault is called {wanted!r}")
    return chosen


def _signals(there: Topology) -> list[Card]:
    everything = (*there.own, *there.brokers, "postgres")
    return [
        *(Card("kill", name, *MOMENT_S) for name in everything),
        *(Card("terminate", name, *MOMENT_S) for name in everything),
        *(Card("zombie", name, *OUTLASTS_SESSION_S) for name in everything),
        Card("immediate", "postgres", *MOMENT_S),
        *(Card("kill all", role, *MOMENT_S) for role in ("workers", "brokers")),
    ]


def _network(there: Topology) -> list[Card]:
    kinds = (("reset", MOMENT_S), ("stall", A_WHILE_S), ("one-way up", A_WHILE_S), ("one-way down", A_WHILE_S))
    return [Card(kind, link, *hold_s) for kind, hold_s in kinds for link in there.links]


def _commits(there: Topology) -> list[Card]:
    kinds = ("lose commit", "lose commit's answer", "kill backend at commit", "kill postgres at commit")
    return [Card(kind, f"{name}/postgres", 0.0, 2.0) for kind in kinds for name in there.workers]


def _crashes(there: Topology) -> list[Card]:
    ends = [Card("crash point", name, 5.0, 10.0, point) for name in there.own for point in crash_points(name)]
    agents = (*there.workers[:1], "downstream")
    stops = [Card("stop at point", name, 12.0, 15.0, point) for name in agents for point in crash_points(name)]
    return [*ends, *stops]


def _others(there: Topology) -> list[Card]:
    return [
        Card("kill in turn", "brokers", 30.0, 30.0),
        Card("rebalances", "workers", 5.0, 9.0),
        Card("rolling restart", "workers", 15.0, 15.0),
        *(Card("disk full", name, 3.0, 8.0) for name in (*there.brokers, "postgres")),
        *(Card("clock jump", name, 2.0, 6.0) for name in there.workers),
    ]
