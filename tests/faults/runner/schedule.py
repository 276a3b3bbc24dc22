"""From a seed to a list of timed faults. Pure: the same seed and deck give the same schedule."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from tests.faults.runner.deck import Card

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Draw:
    """A card that is played: for how long it lasts, and the seed of whatever else it needs to be random."""

    card: Card
    hold_s: float
    seed: int


@dataclass(frozen=True, slots=True)
class Planned:
    """Faults that begin together, ``at_s`` seconds after the load: one, or two of them combined."""

    at_s: float
    draws: tuple[Draw, ...]


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a pause follows a fault, drawn between two bounds, and how many of them come in twos."""

    pause_s_min: float = 3.0
    pause_s_max: float = 9.0
    combined: float = 0.3


def make_schedule(seed: int, duration_s: float, deck: Sequence[Card], pace: Pace) -> list[Planned]:
    """Every kind of fault comes up once, in random order, before any comes up again; and each time on another target,
    until all of them have had it.

    All faults are over, as planned, within ``duration_s``.
    """
    random = Random(seed)
    cards = _dealt(deck, random)
    planned: list[Planned] = []
    at_s = random.uniform(pace.pause_s_min, pace.pause_s_max)
    while True:  # at_s grows with each turn
        draws = [_draw(next(cards), random)]
        if len({card.target for card in deck}) > 1 and random.random() < pace.combined:
            draws.append(_draw(_elsewhere(cards, draws[0].card.target), random))
        end_s = at_s + max(draw.hold_s for draw in draws)
        if end_s > duration_s:
            return planned
        planned.append(Planned(round(at_s, 3), tuple(draws)))
        at_s = end_s + random.uniform(pace.pause_s_min, pace.pause_s_max)


def _dealt(deck: Sequence[Card], random: Random) -> Iterator[Card]:
    kinds = dict.fromkeys(card.kind for card in deck)
    piles = {kind: _cycled([card for card in deck if card.kind == kind], random) for kind in kinds}
    for kind in _cycled(list(kinds), random):
        yield next(piles[kind])


def _cycled(things: Sequence[T], random: Random) -> Iterator[T]:
    """All of them in random order, and again in another."""
    while True:
        yield from random.sample(things, len(things))


def _elsewhere(cards: Iterator[Card], target: str) -> Card:
    """The next card for another target; those before it are left out this time."""
    return next(card for card in cards if card.target != target)


def _draw(card: Card, random: Random) -> Draw:
    return Draw(card, round(random.uniform(card.hold_s_min, card.hold_s_max), 3), random.randrange(2**32))
