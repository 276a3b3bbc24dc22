import ast
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import hfts_client
from hfts_client import NewTransfer
from hfts_client.amounts import amount_text

GOOD = [
    (Decimal("12.50"), "12.5"),
    (Decimal("1E+3"), "1000"),
    (Decimal("0.00010000000"), "0.0001"),
    (Decimal(100), "100"),
    (7, "7"),
    ("12.50", "12.50"),
    (Decimal("99999999999999.9999"), "99999999999999.9999"),
]
BAD = [
    *(Decimal(text) for text in ("0", "-1", "0.00001", "100000000000000", "NaN", "Infinity")),
    *("1e3", " 1", "", "1,5", "+1"),
    *(0, -1),
]


@pytest.mark.parametrize(("amount", "text"), GOOD)
def test_amounts_are_decimal_text(amount: Decimal | int | str, text: str) -> None:
    assert amount_text(amount) == text


@pytest.mark.parametrize("amount", BAD)
def test_what_is_no_amount_is_refused_before_it_is_sent(amount: Decimal | int | str) -> None:
    with pytest.raises(ValueError, match="amount"):
        amount_text(amount)


@pytest.mark.parametrize("amount", [12.5, True, None, b"1"])
def test_a_float_is_never_an_amount(amount: object) -> None:
    with pytest.raises(TypeError, match="an amount is a Decimal"):
        amount_text(amount)  # type: ignore[arg-type]


def test_a_transfer_has_what_makes_it_safe_to_repeat() -> None:
    ids: dict[str, Any] = {"source_wallet_id": uuid4(), "destination_wallet_id": uuid4()}
    first, second = (NewTransfer(**ids, amount=1, currency="EUR") for _ in range(2))
    assert first.idempotency_key
    assert first.idempotency_key != second.idempotency_key
    assert first.line() == {**first.body(), "idempotency_key": first.idempotency_key}
    named = NewTransfer(**ids, amount=1, currency="EUR", transfer_id=uuid4())
    assert named.idempotency_key is None
    assert named.line() == named.body()
    with pytest.raises(ValueError, match="not both"):
        NewTransfer(**ids, amount=1, currency="EUR", transfer_id=uuid4(), idempotency_key="1")
    with pytest.raises(ValueError, match="UUID"):
        NewTransfer(source_wallet_id="mine", destination_wallet_id=uuid4(), amount=1, currency="EUR")


def test_the_client_is_light() -> None:
    program = "import hfts_client, sys; print([m for m in sys.modules if m.split('.')[0] in {heavy}])"
    heavy = {"aiokafka", "asyncpg", "faust", "fastapi", "pydantic", "jwt", "sinks", "ops", "ingest_api", "streams"}
    command = [sys.executable, "-c", program.replace("{heavy}", repr(heavy))]
    assert ast.literal_eval(subprocess.run(command, check=True, capture_output=True, text=True).stdout) == []
    assert (Path(hfts_client.__file__).parent / "py.typed").exists()
