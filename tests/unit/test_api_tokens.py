import time
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from ingest_api.opaque_tokens import Prefix, new_token
from ingest_api.receipts import PURPOSE as RECEIPT
from ingest_api.receipts import Receipt, ReceiptSigner
from ingest_api.tokens import AUDIENCE, ISSUER, PURPOSE, TOKEN_TYPE, AccessTokens, Caller, TokenError
from schemas.access import RIGHTS
from sinks.keys import KeyRing
from tests.unit.conftest import SECRET_KEY, Api

USER = str(uuid4())


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


NEW_KEY, OLD_KEY = "a newer secret of the unit tests", "an older secret of the unit tests"
KEY = KeyRing(SECRET_KEY, [], PURPOSE).current
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def forge(
    key: Any = KEY.secret, algorithm: str = "HS256", header: dict[str, str | None] | None = None, **changes: Any
) -> str:
    """A token that is right in all but what is given."""
    headers = {"kid": KEY.key_id, "typ": TOKEN_TYPE, **(header or {})}
    claims = {"sub": USER, "role": "user", "iat": 1, "exp": 2**33, "iss": ISSUER, "aud": AUDIENCE} | changes
    return jwt.encode(
        {name: value for name, value in claims.items() if value is not None},
        None if algorithm == "none" else key,  # type: ignore[arg-type] # "none" has no key
        algorithm,
        headers={name: value for name, value in headers.items() if value is not None},
    )


def test_a_token_says_who_it_was_issued_to() -> None:
    tokens = AccessTokens(SECRET_KEY, 60)
    assert tokens.check(tokens.issue(USER, "user")) == Caller(USER)
    assert tokens.check(tokens.issue(USER, "admin")) == Caller(USER, "admin", RIGHTS["admin"])
    assert tokens.check(forge()) == Caller(USER)


def test_a_key_is_replaced_while_older_tokens_and_receipts_live_on() -> None:
    old, old_receipts = AccessTokens(OLD_KEY, 60), ReceiptSigner(OLD_KEY)
    both, both_receipts = AccessTokens(NEW_KEY, 60, previous=[OLD_KEY]), ReceiptSigner(NEW_KEY, previous=[OLD_KEY])
    receipt = Receipt(str(uuid4()), USER, 3, 4)
    assert both.check(old.issue(USER, "user")) == Caller(USER)
    assert both_receipts.read(old_receipts.sign(receipt)) == receipt
    new_token, new_receipt = both.issue(USER, "user"), both_receipts.sign(receipt)
    assert AccessTokens(NEW_KEY, 60).check(new_token) == Caller(USER)
    assert ReceiptSigner(NEW_KEY).read(new_receipt) == receipt
    for secret_key, token, text in (
        (NEW_KEY, old.issue(USER, "user"), old_receipts.sign(receipt)),
        (OLD_KEY, new_token, new_receipt),
    ):
        with pytest.raises(TokenError):
            AccessTokens(secret_key, 60).check(token)
        assert ReceiptSigner(secret_key).read(text) is None


def test_the_header_names_the_key_and_the_kind() -> None:
    header = jwt.get_unverified_header(AccessTokens(SECRET_KEY, 60).issue(USER, "user"))
    assert header == {"alg": "HS256", "kid": KEY.key_id, "typ": "at+jwt"}


def test_a_token_expires_also_when_it_is_remembered() -> None:
    clock = Clock()
    tokens = AccessTokens(SECRET_KEY, 60, clock)
    token = tokens.issue(USER, "user")
    clock.now_s += 59
    tokens.check(token)
    clock.now_s += 1
    with pytest.raises(TokenError):
        tokens.check(token)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a.b.c",
        "é.b.c",
        "x" * 5000,
        forge(b"another secret, which is as long as it must be"),
        forge(SECRET_KEY.encode()),
        forge(KeyRing(SECRET_KEY, [], RECEIPT).current.secret),
        forge(header={"kid": None}),
        forge(header={"kid": ""}),
        forge(header={"kid": KeyRing(SECRET_KEY, [], RECEIPT).current.key_id}),
        forge(header={"kid": "../../dev/null"}),
        forge(header={"typ": ""}),
        forge(header={"typ": "JWT"}),
        forge(algorithm="HS384"),
        forge(RSA_KEY, algorithm="RS256"),
        ".".join(["eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6N30", *forge().split(".")[1:]]),  # kid: 7
        ReceiptSigner(SECRET_KEY).sign(Receipt(str(uuid4()), USER, 0, 0)),
        new_token(Prefix.REFRESH_TOKEN).text,
        new_token(Prefix.API_KEY).text,
        forge(algorithm="HS512"),
        forge(algorithm="none"),
        forge(exp=int(time.time()) - 1),
        forge(exp=None),
        forge(sub=None),
        forge(sub="me"),
        forge(sub=7),
        forge(role=None),
        forge(role="root"),
        forge(role="producer"),
        forge(epoch="x"),
        forge(role=["admin"]),
        forge(iss="another"),
        forge(aud="another"),
        forge(aud=None),
        forge()[:-3],
    ],
)
def test_tokens_that_are_no_good(token: str) -> None:
    with pytest.raises(TokenError):
        AccessTokens(SECRET_KEY, 60).check(token)


@pytest.mark.parametrize(
    "path", ["/v1/me", "/v1/wallets", f"/v1/wallets/{USER}", f"/v1/wallets/{USER}/entries", f"/v1/transfers/{USER}"]
)
@pytest.mark.parametrize("header", [None, "", "Basic YTpi", "Bearer", "Bearer ", "Bearer x", "bearer a.b.c"])
async def test_without_a_good_token(api: Api, path: str, header: str | None) -> None:
    answer = await api.client.get(path, headers={} if header is None else {"Authorization": header})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", ["/v1/wallets", "/v1/transfers", "/v1/deposits"])
async def test_nothing_can_be_sent_without_a_token(api: Api, path: str) -> None:
    answer = await api.client.post(path, json={})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
