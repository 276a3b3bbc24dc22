"""Who may have a request applied where requests must be signed: nobody but the holder of a listed key."""

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

import jwt
import pytest
from builders import a_request, consumed, new_id, request_record
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError
from typer.testing import CliRunner

from ops.cli import build_app
from ops.configuration import explain
from schemas.codes import DeadLetterCause
from schemas.headers import SIGNATURE
from schemas.settings import Settings
from schemas.signatures import TYPE, RequestSigner, RequestVerifier, SignatureError, new_keys
from schemas.signing_keys import KeyFormatError, parse_key, parse_keys
from schemas.transfers import encode_request
from sinks.kafka.records import Consumed
from sinks.kafka.signing import SigningKeyMissingError, request_signer
from sinks.ledger.types import Order
from streams.requests import read_requests
from streams.signed_requests import forged_requests, letters_of, request_verifier, without

TOPIC = "transfers.requested"
SIGNING, VERIFYING = new_keys("api-1")
STRANGER, _ = new_keys("api-1")
VALUE = encode_request(a_request())
CLAIMS = {"aud": TOPIC, "iat": 1_700_000_000}


def digest(value: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(value).digest()).rstrip(b"=").decode()


def token(claims: dict[str, Any] | None = None, key: Any = None, algorithm: str = "EdDSA", **header: Any) -> bytes:
    """A token as an attacker, or a producer with other habits, may make it."""
    signing = key if key is not None else Ed25519PrivateKey.from_private_bytes(parse_key(SIGNING)[1])
    full = {**CLAIMS, "sha256": digest(VALUE)} | (claims or {})
    kept = {name: value for name, value in full.items() if value is not None}
    return jwt.encode(kept, signing, algorithm, headers={"kid": "api-1", "typ": TYPE} | header).encode()


def refusal(*headers: tuple[str, bytes | None], value: bytes = VALUE) -> str | None:
    try:
        RequestVerifier(VERIFYING, TOPIC).check(headers, value)
    except SignatureError as error:
        return f"{error.cause}: {error}"
    return None


def test_what_the_holder_of_a_listed_key_signs_is_accepted() -> None:
    assert refusal(RequestSigner(SIGNING, TOPIC).header(VALUE)) is None
    assert refusal(("trace", b"1"), (SIGNATURE, token()), ("other", None)) is None


def test_what_waits_for_years_is_accepted() -> None:
    assert refusal(RequestSigner(SIGNING, TOPIC, clock=lambda: 0).header(VALUE)) is None
    assert refusal((SIGNATURE, token({"exp": 1, "nbf": 2**40, "iat": 2**40}))) is None


def test_no_signature() -> None:
    assert (refusal() or "").startswith("unsigned_request: The record has no signature")
    assert (refusal(("Signature", token())) or "").startswith("unsigned_request")


@pytest.mark.parametrize(
    ("forged", "detail"),
    [
        (b"", "DecodeError"),
        (None, "DecodeError"),
        (b"\xff.\xff.\xff", "DecodeError"),
        (b"a" * 2000, "too long"),
        (token()[:-10] + b"AAAAAAAAAA", "InvalidSignatureError"),
        (token(key="", algorithm="none"), "InvalidAlgorithmError"),
        (token(key=parse_key(VERIFYING)[1], algorithm="HS256"), "InvalidAlgorithmError"),
        (token(key=Ed25519PrivateKey.from_private_bytes(parse_key(STRANGER)[1])), "InvalidSignatureError"),
        (token(kid="api-2"), "no key of this name is known"),
        (token(kid=""), "no key of this name is known"),
        (token(typ="JWT"), "made for something else"),
        (token({"aud": "other." + TOPIC}), "InvalidAudienceError"),
        (token({"aud": None}), "MissingRequiredClaimError"),
        (token({"iat": None}), "MissingRequiredClaimError"),
        (token({"sha256": None}), "MissingRequiredClaimError"),
        (token({"sha256": 7}), "of another value"),
        (token({"sha256": digest(encode_request(a_request()))}), "of another value"),
    ],
)
def test_forgeries(forged: bytes | None, detail: str) -> None:
    found = refusal((SIGNATURE, forged)) or ""
    assert found.startswith("invalid_signature: ")
    assert detail in found


def test_an_altered_value() -> None:
    header = RequestSigner(SIGNING, TOPIC).header(VALUE)
    assert "of another value" in (refusal(header, value=VALUE.replace(b"12.5000", b"92.5000")) or "")


def test_two_signatures_are_no_signature() -> None:
    header = RequestSigner(SIGNING, TOPIC).header(VALUE)
    assert "more than one" in (refusal(header, header) or "")


def test_keys_are_exchanged_by_name() -> None:
    next_signing, next_verifying = new_keys("api-2")
    old, new = RequestSigner(SIGNING, TOPIC).header(VALUE), RequestSigner(next_signing, TOPIC).header(VALUE)
    RequestVerifier(f"{VERIFYING}, {next_verifying}", TOPIC).check([old], VALUE)
    RequestVerifier(f"{VERIFYING},{next_verifying}", TOPIC).check([new], VALUE)
    with pytest.raises(SignatureError, match="no key of this name"):
        RequestVerifier(next_verifying, TOPIC).check([old], VALUE)


def signed(record: Consumed) -> Consumed:
    header = RequestSigner(SIGNING, TOPIC).header(record.value or b"")
    return consumed(record.offset, record.value, key=record.key, headers=[header])


def read(*records: Consumed) -> list[Order]:
    orders, dead = read_requests(records)
    assert not dead
    return orders


def test_a_batch_is_sorted_and_the_bytes_are_untouched() -> None:
    good, unsigned = signed(request_record(0, a_request())), request_record(1, a_request())
    moved = consumed(2, unsigned.value, key=unsigned.key, headers=good.headers)
    batch = [good, unsigned, moved]
    orders = read(*batch)
    forged = forged_requests(RequestVerifier(VERIFYING, TOPIC), orders, {0: batch})
    assert [order.offset for order in without(forged, orders)] == [0]
    assert [(letter.record, letter.cause) for letter in letters_of(forged, [])] == [
        (unsigned, DeadLetterCause.UNSIGNED_REQUEST),
        (moved, DeadLetterCause.INVALID_SIGNATURE),
    ]


def test_a_signed_record_that_is_copied_is_the_same_request() -> None:
    first = signed(request_record(0, a_request()))
    copy = consumed(1, first.value, key=first.key, headers=first.headers)
    orders = read(first, copy)
    assert forged_requests(RequestVerifier(VERIFYING, TOPIC), orders, {0: [first, copy]}) == {}
    assert orders[0].request == orders[1].request, "one transfer_id with one content is one transfer"


def test_a_copy_for_another_wallet_does_not_get_as_far_as_its_signature() -> None:
    record = signed(request_record(0, a_request()))
    _, dead = read_requests([consumed(1, record.value, key=new_id().encode(), headers=record.headers)])
    assert [letter.cause for letter in dead] == [DeadLetterCause.WRONG_KEY]


def settings(**values: Any) -> Settings:
    return Settings(_env_file=None, postgres_password="p", secret_key="k" * 40, **values)


def test_without_the_setting_nothing_is_checked_or_signed() -> None:
    assert request_verifier(settings()) is None
    assert request_signer(settings()) is None
    assert request_signer(settings(request_signing_key=SIGNING)) is not None


def test_where_signatures_are_wanted_both_sides_need_keys() -> None:
    with pytest.raises(ValidationError) as caught:
        settings(require_signed_requests=True)
    assert "REQUEST_VERIFY_KEYS: value error, needed with REQUIRE_SIGNED_REQUESTS" in explain(caught.value)
    with pytest.raises(SigningKeyMissingError, match="set REQUEST_SIGNING_KEY"):
        request_signer(settings(require_signed_requests=True, request_verify_keys=VERIFYING))


@pytest.mark.parametrize(
    "text", ["", "api", "api=", "=" + "A" * 43, "a b=" + "A" * 43, "api=" + "A" * 42, "api=" + "!" * 43, "api=Ä"]
)
def test_keys_that_are_none_are_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(KeyFormatError, match="write a key as NAME=KEY"):
        parse_key(text)
    with pytest.raises(ValidationError) as caught:
        settings(request_signing_key=text)
    assert "REQUEST_SIGNING_KEY: value error, write a key as NAME=KEY" in explain(caught.value)


def test_a_name_stands_for_one_key() -> None:
    with pytest.raises(KeyFormatError, match="a name of its own"):
        parse_keys(f"{VERIFYING},{new_keys('api-1')[1]}")


def test_keygen_prints_a_pair_that_fits() -> None:
    printed = CliRunner().invoke(build_app(), ["keygen", "bank"]).stdout
    values = dict(line.split("=", 1) for line in printed.splitlines() if not line.startswith("#"))
    header = RequestSigner(values["REQUEST_SIGNING_KEY"], TOPIC).header(VALUE)
    RequestVerifier(values["REQUEST_VERIFY_KEYS"], TOPIC).check([header], VALUE)
    assert CliRunner().invoke(build_app(), ["keygen", "two words"]).exit_code == 1


def test_the_documented_producer_signs_as_we_do() -> None:
    document = (Path(__file__).parents[2] / "docs" / "security.md").read_text()
    [code] = re.findall(r"^```python\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)
    scope: dict[str, Any] = {}
    exec(code, scope)  # noqa: S102 (our own example)
    assert refusal(scope["signature"](SIGNING, TOPIC, VALUE)) is None
