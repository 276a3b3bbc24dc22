from collections import Counter
from random import Random
from uuid import uuid4

import pytest

from ops.demo.mixture import INVALID, UNDECODABLE, Shares, Wallets, mix
from ops.demo.tally import Tally
from ops.demo.verdict import compare
from ops.reconcile.report import Facts
from schemas.transfers import InvalidRequestError, MalformedRequestError, decode_request

SHARES = Shares(
    completed=300,
    insufficient_funds=20,
    currency_mismatch=10,
    wallet_not_found=10,
    same_wallet=5,
    duplicates=15,
    reused_ids=10,
    undecodable=len(UNDECODABLE) * 2,
    invalid=len(INVALID) * 2,
    wrong_key=5,
)


def wallets(count: int) -> list[str]:
    return [str(uuid4()) for _ in range(count)]


def test_the_tally_is_what_the_rules_for_requests_say_of_the_records() -> None:
    records, tally = mix(Wallets(wallets(20), wallets(3), wallets(2)), SHARES, Random(7))
    found: Counter[str] = Counter()
    contents: dict[str, tuple[object, ...]] = {}
    for key, value in records:
        try:
            request, units = decode_request(value)
        except MalformedRequestError:
            found["undecodable"] += 1
            continue
        except InvalidRequestError:
            found["invalid_request"] += 1
            continue
        content = (request.source_wallet_id, request.destination_wallet_id, units, request.currency)
        if key != request.source_wallet_id.encode():
            found["wrong_key"] += 1
        elif request.transfer_id not in contents:
            contents[request.transfer_id] = content
            found["row"] += 1
        else:
            found["duplicate" if contents[request.transfer_id] == content else "transfer_id_reused"] += 1
    assert len(records) == tally.records
    assert found == Counter(tally.dead_letters) + Counter(row=tally.transfers, duplicate=tally.duplicates)


def test_poor_wallets_never_receive_and_rich_ones_can_pay_all_they_send() -> None:
    chosen = Wallets(wallets(20), wallets(3), wallets(2))
    records, _ = mix(chosen, SHARES, Random(7))
    spent: Counter[str] = Counter()
    for key, value in records:
        try:
            request, units = decode_request(value)
        except ValueError:
            continue
        assert request.destination_wallet_id not in chosen.poor
        if key == request.source_wallet_id.encode() and request.amount != "999.9999":
            spent[request.source_wallet_id] += units
    assert max(spent[wallet] for wallet in chosen.rich) < 100_000_000


def sound() -> tuple[Tally, Facts]:
    tally = Tally()
    tally.deposit(50_000, "USD")
    tally.transfer()
    tally.transfer("insufficient_funds")
    tally.dead_letter("undecodable")
    tally.duplicate()
    results = {"COMPLETED": 2, "insufficient_funds": 1}
    facts = Facts(
        records={"requests": 5, "outcomes": 3, "dead_letters": 1, "audit": 3, "notifications": 4},
        chain_verified=True,
        transfers=dict(results),
        outcomes=dict(results),
        dead_letters={"undecodable": 1},
        notifications={"sender": 2, "receiver": 2},
        paid_in={"USD": "5.0000"},
    )
    return tally, facts


def test_a_sound_run_agrees_in_every_figure() -> None:
    assert [figure for figure in compare(*sound()) if not figure.agrees] == []


@pytest.mark.parametrize(
    ("part", "key", "value", "names"),
    [
        ("records", "requests", 6, {"submitted", "duplicates (no effect)"}),
        ("records", "audit", 2, {"audit records"}),
        ("transfers", "COMPLETED", 1, {"transfers decided", "completed", "audit records"}),
        ("outcomes", "wallet_frozen", 1, {"failed: wallet_frozen"}),
        ("dead_letters", "wrong_key", 1, {"dead letter: wrong_key"}),
        ("notifications", "sender", 3, {"senders notified"}),
        ("paid_in", "USD", "5.0001", {"paid in, USD"}),
    ],
)
def test_each_figure_that_differs_is_named(part: str, key: str, value: object, names: set[str]) -> None:
    tally, facts = sound()
    getattr(facts, part)[key] = value
    assert {figure.name for figure in compare(tally, facts) if not figure.agrees} == names


def test_tallies_add_up() -> None:
    tally, _ = sound()
    other, _ = sound()
    tally.add(other)
    assert (tally.records, tally.transfers, tally.duplicates) == (10, 6, 2)
    assert tally.paid_in_units == {"USD": 100_000}
