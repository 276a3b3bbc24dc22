"""A line of a batch is accepted or refused as the same bytes are in a request of their own."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import httpx2
from fake_ledger import FakeWallets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.transfers import TransferRequest, decode_request
from sinks.directory.wallets import Owner
from tests.properties.test_http_bodies import bodies, texts, valid_bodies
from tests.unit.conftest import Api
from tests.unit.conftest import api as api  # noqa: PLC0414 (a fixture)

USER = str(uuid4())


class EverybodysWallets(FakeWallets):
    """Every wallet exists, and is the caller's."""

    async def owner_of(self, wallet_id: str) -> Owner | None:
        return Owner(USER)

    async def owners_of(self, wallet_ids: Sequence[str]) -> dict[str, Owner]:
        return dict.fromkeys(wallet_ids, Owner(USER))


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """Bodies as clients write them, and as they should not."""
    body = draw(valid_bodies | bodies)
    raw = json.dumps(
        body, ensure_ascii=draw(st.booleans()), separators=draw(st.sampled_from([(",", ":"), (", ", ": ")]))
    )
    document = raw.encode("utf-8", "surrogatepass")
    match draw(st.sampled_from(["as it is", "as it is", "repeated", "repeated within", "cut", "altered", "around"])):
        case "repeated":
            name, value = draw(st.sampled_from(sorted(body))), draw(texts | st.none())
            return document[:-1] + b"," + json.dumps(name).encode() + b":" + json.dumps(value).encode() + b"}"
        case "repeated within":
            return document[:-1] + b',"metadata":{"a":"b","a":"c"}}'
        case "cut":
            return document[: draw(st.integers(0, len(document)))] or b"{"
        case "altered":
            at = draw(st.integers(0, len(document) - 1))
            return (document[:at] + draw(st.binary(max_size=3)) + document[at + 1 :]).replace(b"\n", b"\r")
        case "around":
            blank = st.sampled_from([b"", b" ", b"\t", b"\r", b"\xef\xbb\xbf", b"\x00", b"[", b"]"])
            return draw(blank) + document + draw(blank)
    return document


@given(document=documents())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_line_is_read_as_a_body_is(api: Api, document: bytes) -> None:
    if not document.strip():
        return
    services = api.app.state.services
    services.owners._wallets = EverybodysWallets()
    single = await post(api, "/v1/transfers", "application/json", document)
    one = requests(api)
    batch = await post(api, "/v1/transfers/batch", "application/x-ndjson", document)
    assert batch.status_code == 200, batch.text
    [result] = [json.loads(each) for each in batch.content.splitlines()]
    answer = single.json()
    assert result.get("code") == answer.get("code")
    if single.status_code == 202:
        assert result["status"] == "PENDING"
        known = one[-1].transfer_id == result["transfer_id"]
        assert known or content(requests(api)[-1]) == content(one[-1])
    elif result["code"] == "invalid_request" and document.strip() != b"null":
        assert result["errors"] == answer["errors"][:3]


@given(document=documents())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_the_short_way_and_the_long_give_the_same_answer(api: Api, document: bytes) -> None:
    """Another form of the same media type takes the long way."""
    api.app.state.services.owners._wallets = EverybodysWallets()
    long = await post(api, "/v1/transfers", "application/json; charset=utf-8", document)
    published = requests(api)
    short = await post(api, "/v1/transfers", "application/json", document)
    assert long.status_code == short.status_code
    changing = dict.fromkeys(("transfer_id", "offset", "accepted_at", "receipt", "location", "request_id"))
    assert long.json() | changing == short.json() | changing
    # With a transfer_id in it, the second one is a repeat, and so is the first if the same document came before.
    headers = [[name for name in each.headers if name != "idempotent-replayed"] for each in (long, short)]
    assert headers[0] == headers[1]
    if short.status_code == 202:
        assert content(requests(api)[-1]) == content(published[-1])


async def post(api: Api, path: str, kind: str, document: bytes) -> httpx2.Response:
    return await api.client.post(path, content=document, headers=api.headers(USER, **{"Content-Type": kind}))


def requests(api: Api) -> list[TransferRequest]:
    return [decode_request(value)[0] for _, value in api.requests.records[-1:]]


def content(request: TransferRequest) -> Any:
    return [getattr(request, name) for name in request.__struct_fields__ if name not in ("transfer_id", "requested_at")]
