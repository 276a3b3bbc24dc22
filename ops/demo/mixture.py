"""The records that go straight to Kafka: good ones, ones bound to fail, and ones that cannot be transfers at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from uuid import uuid4

import orjson

from ops.demo.tally import COMPLETED, Tally
from ops.load.kafka_sender import Keyed
from ops.load.requests import make_request, pair_picker
from schemas.codes import DeadLetterCause, FailureReason
from schemas.money import UNITS_PER_ONE

Whole = tuple[bytes, bytes]
"""Key and value of a record that has both."""

CURRENCY = "USD"
UNITS_MAX = 10 * UNITS_PER_ONE


@dataclass(frozen=True, slots=True)
class Wallets:
    """Wallets by what they are for. ``rich`` hold more than they ever send, ``poor`` never hold anything."""

    rich: Sequence[str]
    poor: Sequence[str]
    foreign: Sequence[str]


@dataclass(frozen=True, slots=True)
class Shares:
    """How many records of each kind."""

    completed: int = 46_000
    insufficient_funds: int = 600
    currency_mismatch: int = 300
    wallet_not_found: int = 200
    same_wallet: int = 100
    duplicates: int = 200
    reused_ids: int = 100
    undecodable: int = 80
    invalid: int = 80
    wrong_key: int = 40


UNDECODABLE: tuple[bytes | None, ...] = (
    b"\xff\xfe not UTF-8",
    b'{"transfer_id": "cut off',
    b"",
    None,
    b'{"amount":"1","amount":"1000000"}',
    b"[" * 5_000,
)

INVALID: tuple[dict[str, object], ...] = (
    {"amount": "-5"},
    {"amount": "0"},
    {"amount": "1e3"},
    {"amount": "NaN"},
    {"amount": 12.5},
    {"amount": "1.00001"},
    {"currency": "QQQ"},
    {"transfer_id": "12"},
    {"requested_at": "yesterday"},
    {"note": "no such field"},
)


def mix(wallets: Wallets, shares: Shares, random: Random) -> tuple[list[Keyed], Tally]:
    """The records in a random order, and what must become of them.

    Copies and reused ids come after the transfers they repeat: in the second half, those in the first.
    """
    tally = Tally()
    originals = _originals(wallets, shares, random, tally)
    random.shuffle(originals)
    middle = len(originals) // 2
    repeated = random.sample(originals[:middle], shares.duplicates + shares.reused_ids)
    late: list[Keyed] = []
    for key, value in repeated[: shares.duplicates]:
        late.append((key, _sent_again(value)))
        tally.duplicate()
    for key, value in repeated[shares.duplicates :]:
        late.append((key, _changed(value, {"amount": "999.9999"})))
        tally.dead_letter(DeadLetterCause.TRANSFER_ID_REUSED)
    poison = _poison(wallets, shares, random, tally)
    second = [*originals[middle:], *late, *poison]
    random.shuffle(second)
    return [*originals[:middle], *second], tally


def _originals(wallets: Wallets, shares: Shares, random: Random, tally: Tally) -> list[Whole]:
    pick_pair = pair_picker(list(wallets.rich), random)
    kinds = (
        (COMPLETED, shares.completed, pick_pair),
        (
            FailureReason.INSUFFICIENT_FUNDS,
            shares.insufficient_funds,
            lambda: (random.choice(wallets.poor), random.choice(wallets.rich)),
        ),
        (
            FailureReason.CURRENCY_MISMATCH,
            shares.currency_mismatch,
            lambda: (random.choice(wallets.rich), random.choice(wallets.foreign)),
        ),
        (FailureReason.WALLET_NOT_FOUND, shares.wallet_not_found, lambda: (random.choice(wallets.rich), str(uuid4()))),
        (FailureReason.SAME_WALLET, shares.same_wallet, lambda: (random.choice(wallets.rich),) * 2),
    )
    records: list[Whole] = []
    for result, count, pick in kinds:
        for _ in range(count):
            source, destination = pick()
            _, key, value = make_request(source, destination, _units(random), CURRENCY)
            records.append((key.encode(), value))
            tally.transfer(result)
    return records


def _poison(wallets: Wallets, shares: Shares, random: Random, tally: Tally) -> list[Keyed]:
    def good() -> tuple[bytes, bytes]:
        source, destination = random.sample(wallets.rich, 2)
        _, key, value = make_request(source, destination, _units(random), CURRENCY)
        return key.encode(), value

    records: list[Keyed] = []
    for number in range(shares.undecodable):
        records.append((good()[0], UNDECODABLE[number % len(UNDECODABLE)]))
        tally.dead_letter(DeadLetterCause.UNDECODABLE)
    for number in range(shares.invalid):
        key, value = good()
        records.append((key, _changed(value, INVALID[number % len(INVALID)])))
        tally.dead_letter(DeadLetterCause.INVALID_REQUEST)
    for _ in range(shares.wrong_key):
        records.append((str(uuid4()).encode(), good()[1]))
        tally.dead_letter(DeadLetterCause.WRONG_KEY)
    return records


def _units(random: Random) -> int:
    return 1 + int(random.random() * UNITS_MAX)


def _sent_again(value: bytes) -> bytes:
    """The same transfer as a careful client sends it again: only the time of the request differs."""
    return _changed(value, {"requested_at": "2026-01-01T00:00:00Z"})


def _changed(value: bytes, changes: dict[str, object]) -> bytes:
    return orjson.dumps({**orjson.loads(value), **changes})
