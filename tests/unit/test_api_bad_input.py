import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from tests.unit.conftest import Api

USER = str(uuid4())
WALLET = str(uuid4())


def body(**more: Any) -> dict[str, Any]:
    return {
        "source_wallet_id": WALLET,
        "destination_wallet_id": str(uuid4()),
        "amount": "1",
        "currency": "USD",
        **more,
    }


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in body().items() if key != name}


VALID = json.dumps(body())

MALFORMED = {
    "not JSON": b"{",
    "text": b"amount=1",
    "empty key twice": VALID[:-1].encode() + b', "amount": "2"}',
    "key twice in metadata": VALID[:-1].encode() + b', "metadata": {"a": "1", "a": "2"}}',
    "NaN": VALID[:-1].encode() + b', "reference": NaN}',
    "Infinity": VALID[:-1].encode() + b', "amount": -Infinity}',
    "wrong UTF-8": VALID.replace("USD", "\xff").encode("latin-1"),
    "UTF-16": VALID.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + VALID.encode(),
    "deep nesting": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "deep lists": b"[" * 30_000,
    "a number of 5000 digits": b'{"amount": ' + b"1" * 5000 + b"}",
    "two documents": VALID.encode() * 2,
    "a trailing comma": VALID[:-1].encode() + b",}",
}

INVALID: dict[str, tuple[Any, str]] = {
    "a list": ([], "body"),
    "null": (None, "body"),
    "a missing amount": (without("amount"), "amount"),
    "a missing source": (without("source_wallet_id"), "source_wallet_id"),
    "an unknown field": (body(colour="red"), "colour"),
    "a given time": (body(requested_at="2026-01-01T00:00:00Z"), "requested_at"),
    "an amount as a number": (body(amount=1), "amount"),
    "an amount as a float": (body(amount=1.5), "amount"),
    "an amount of null": (body(amount=None), "amount"),
    "zero": (body(amount="0"), "amount"),
    "zeros": (body(amount="0.0000"), "amount"),
    "below zero": (body(amount="-1"), "amount"),
    "a plus sign": (body(amount="+1"), "amount"),
    "an exponent": (body(amount="1e3"), "amount"),
    "NaN as text": (body(amount="NaN"), "amount"),
    "five decimals": (body(amount="1.00001"), "amount"),
    "fifteen digits": (body(amount="100000000000000"), "amount"),
    "a leading zero": (body(amount="01"), "amount"),
    "blanks": (body(amount=" 1"), "amount"),
    "a newline": (body(amount="1\n"), "amount"),
    "Arabic digits": (body(amount="\u0661"), "amount"),
    "no digits": (body(amount=""), "amount"),
    "an unknown currency": (body(currency="USX"), "currency"),
    "a currency in small letters": (body(currency="usd"), "currency"),
    "no UUID": (body(source_wallet_id="me"), "source_wallet_id"),
    "a UUID without hyphens": (body(source_wallet_id=uuid4().hex), "source_wallet_id"),
    "a UUID and a newline": (body(destination_wallet_id=f"{uuid4()}\n"), "destination_wallet_id"),
    "a long reference": (body(reference="x" * 201), "reference"),
    "a NUL": (body(reference="a\x00b"), "reference"),
    "a lone surrogate": (body(reference="\ud800"), "reference"),
    "a lone surrogate as amount": (body(amount="\ud800"), "amount"),
    "a lone surrogate as id": (body(source_wallet_id="\ud800"), "source_wallet_id"),
    "a lone surrogate as currency": (body(currency="\ud800"), "currency"),
    "a number in metadata": (body(metadata={"a": 1}), "metadata.a"),
    "nested metadata": (body(metadata={"a": {}}), "metadata.a"),
    "metadata as a list": (body(metadata=[]), "metadata"),
    "51 keys": (body(metadata={str(n): "" for n in range(51)}), "metadata"),
    "a long key": (body(metadata={"k" * 41: ""}), f"metadata.{'k' * 41}.[key]"),
    "a long value": (body(metadata={"k": "v" * 501}), "metadata.k"),
    "a NUL in a key": (body(metadata={"\x00": ""}), "metadata.\x00.[key]"),
    "a lone surrogate in a value": (body(metadata={"k": "\udfff"}), "metadata.k"),
}


@pytest.fixture
async def submit(api: Api) -> AsyncIterator[Any]:
    api.wallets.owners[WALLET] = api.wallets.owners[api.wallet(USER)]

    async def submit_raw(content: Any, **headers: str) -> Any:
        return await api.client.post(
            "/v1/transfers",
            content=content,
            headers=api.headers(USER, **{"Content-Type": "application/json", **headers}),
        )

    yield submit_raw
    assert api.requests.records == []


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED.keys())
async def test_malformed_bodies(submit: Any, content: bytes) -> None:
    answer = await submit(content)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("sent", "field"), INVALID.values(), ids=INVALID.keys())
async def test_invalid_requests(submit: Any, sent: Any, field: str) -> None:
    answer = await submit(json.dumps(sent).encode())
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert field in [error["field"] for error in answer.json()["errors"]]


@pytest.mark.parametrize("depth", [10, 100, *range(900, 1100, 9), 2_000, 30_000])
@pytest.mark.parametrize("place", ["surplus", "metadata", "reference"])
async def test_nesting_at_every_depth(submit: Any, depth: int, place: str) -> None:
    answer = await submit(VALID[:-1].encode() + f', "{place}":'.encode() + b"[" * depth + b"]" * depth + b"}")
    assert (answer.status_code, answer.json()["code"]) in ((400, "malformed_body"), (422, "invalid_request"))


async def test_as_many_faults_as_fit_into_a_body(submit: Any) -> None:
    """Are not all repeated."""
    for sent in (
        body(metadata={str(number): 1 for number in range(6_000)}),
        body(**{str(number): 1 for number in range(6_000)}),
        [0] * 15_000,
    ):
        answer = await submit(json.dumps(sent).encode())
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
        assert len(answer.json()["errors"]) <= 20
        assert len(answer.content) < 10_000


@pytest.mark.parametrize(
    "content",
    [b"a=1&" * 10_000, b"&" * 60_000, b"username=" + b"%ff" * 20_000, b"username=%00&password=%00", b"\xff" * 1_000],
    ids=["many fields", "no fields", "no UTF-8", "NUL", "bytes"],
)
async def test_forms_of_all_kinds(api: Api, content: bytes) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await api.client.post("/v1/auth/token", content=content, headers=form)
    assert answer.status_code in (400, 401, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_many_parts_of_a_form(api: Api) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\n1\r\n'
    answer = await api.client.post(
        "/v1/auth/token",
        content=part * 900 + b"--x--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    assert answer.status_code in (400, 413, 422), answer.text


async def test_lone_surrogates_as_keys(submit: Any) -> None:
    for sent in (body(**{"\ud800": "x"}), body(metadata={"\ud800": "x"})):
        answer = await submit(json.dumps(sent).encode())
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_no_body_and_another_kind_of_body(submit: Any) -> None:
    assert (await submit(b"")).status_code == 422
    for kind in ("text/plain", "application/xml", "application/x-www-form-urlencoded", "nonsense"):
        answer = await submit(VALID.encode(), **{"Content-Type": kind})
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
        assert answer.headers["accept"] == "application/json"


async def test_a_form_in_another_kind_of_body(api: Api) -> None:
    answer = await api.client.post("/v1/auth/token", json={"username": "a", "password": "b"})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert answer.headers["accept"] == "application/x-www-form-urlencoded"


async def test_a_large_body(submit: Any) -> None:
    answer = await submit(json.dumps(body(metadata={"k": "v" * 1_000_000})).encode())
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_a_large_body_of_unknown_length(submit: Any) -> None:
    parts = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal parts
        while True:
            parts += 1
            yield b" " * 1024

    answer = await submit(endless())
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert parts == 65


async def test_a_large_form(api: Api) -> None:
    answer = await api.client.post("/v1/auth/token", data={"username": "a", "password": "p" * 70_000})
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_what_was_sent_is_not_repeated(api: Api) -> None:
    sent = {"email": "a@example.com", "password": "secret7"}
    answer = await api.client.post("/v1/users", json=sent)
    assert answer.status_code == 422
    assert "secret7" not in answer.text


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("nobody", "long enough"),
        ("a@b@c", "long enough"),
        ("a\x00@example.com", "long enough"),
        ("a" * 400 + "@example.com", "long enough"),
        ("\ud800@example.com", "long enough"),
        ("a@example.com", "x" * 7),
        ("a@example.com", "x" * 129),
        ("a@example.com", "nul\x00 inside"),
        ("a@example.com", None),
    ],
)
async def test_accounts_that_cannot_be(api: Api, email: str, password: str | None) -> None:
    content = json.dumps({"email": email, "password": password})
    answer = await api.client.post("/v1/users", content=content, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/wallets/me",
        "/v1/wallets/me/entries",
        f"/v1/wallets/{WALLET}/entries?limit=0",
        f"/v1/wallets/{WALLET}/entries?limit=101",
        f"/v1/wallets/{WALLET}/entries?limit=ten",
        f"/v1/wallets/{WALLET}/entries?starting_after=0",
        f"/v1/wallets/{WALLET}/entries?starting_after=9223372036854775808",
        "/v1/transfers/1",
    ],
)
async def test_addresses_that_cannot_be(api: Api, path: str) -> None:
    answer = await api.client.get(path, headers=api.headers(USER))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
