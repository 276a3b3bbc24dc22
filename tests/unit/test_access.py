"""Who may do what: the table of rights, what the documentation says of it, and that every route keeps to it."""

import re
from pathlib import Path
from typing import Any, get_args
from uuid import uuid4

import pytest
from api_grants import GRANTS

from ingest_api.route_rights import RIGHT_OF_ROUTE, right_of_route
from schemas.access import RIGHTS, PersonalRole, Right, Role, Scope
from tests.unit.conftest import Api

DOCUMENT = (Path(__file__).parents[2] / "docs" / "security.md").read_text()
SCOPES = get_args(Scope)
PEOPLE: dict[str, frozenset[Right]] = {role: RIGHTS[role] for role in get_args(PersonalRole)}


def rows(columns: int) -> list[list[str]]:
    """Of the tables whose first column is a right."""
    found = re.findall(r"^\| `([a-z]+:[a-z]+)` \| (.*) \|$", DOCUMENT, re.MULTILINE)
    split = [[right, *rest.split(" | ")] for right, rest in found]
    return [row for row in split if len(row) == columns]


def words(text: str) -> set[str]:
    return set() if text == "—" else set(text.split(", "))


def test_the_document_says_what_each_role_may() -> None:
    documented = {right: (words(roles), scope) for right, _, roles, scope in rows(4)}
    assert documented == {
        right: ({role for role, rights in RIGHTS.items() if right in rights}, "yes" if right in SCOPES else "no")
        for right in Right
    }


def test_the_document_says_what_each_route_asks_for() -> None:
    documented = {route.strip("`"): right for right, routes in rows(2) for route in routes.split(", ")}
    assert documented == {route: str(right) for route, right in RIGHT_OF_ROUTE.items()}


def test_roles_and_scopes_are_those_of_the_table() -> None:
    assert set(RIGHTS) == set(get_args(Role)) == {*get_args(PersonalRole), "producer"}
    assert {Right(scope) for scope in SCOPES} < set(Right)
    assert not set(SCOPES) & RIGHTS["producer"], "a key has those that it was given"


def test_what_the_tests_grant_is_what_the_table_grants() -> None:
    """That the table is kept to, the tests of authorisation show on servers."""
    for name, right in RIGHT_OF_ROUTE.items():
        for role in get_args(Role):
            rights = RIGHTS[role] | (frozenset(SCOPES) if role == "producer" else frozenset())
            if right not in rights:
                assert {getattr(grant, "other" if role == "user" else role) for grant in GRANTS[name]} == {403}, name


def test_a_route_that_nobody_has_decided_cannot_be_made() -> None:
    assert right_of_route({"GET"}, "/v1/transfers/{transfer_id:transfer}") == Right.TRANSFERS_READ
    for methods, path in (({"GET"}, "/v1/secrets"), ({"DELETE"}, "/v1/me"), ({"GET", "POST"}, "/v1/wallets")):
        with pytest.raises(LookupError, match="route_rights"):
            right_of_route(methods, path)


@pytest.mark.parametrize("holder", [*PEOPLE, "", *SCOPES])
async def test_every_route_refuses_whoever_lacks_its_right(api: Api, holder: str) -> None:
    """Before it reads anything else. ``holder`` is a role, or the scope of a key."""
    is_person = holder in PEOPLE
    rights = PEOPLE[holder] if is_person else {*RIGHTS["producer"], holder}
    credential = api.tokens.issue(str(uuid4()), holder) if is_person else api.key(*([holder] if holder else []))
    headers = {"Authorization": f"Bearer {credential}"}
    for name, right in RIGHT_OF_ROUTE.items():
        if right in rights:
            continue
        method, _, path = name.partition(" ")
        answer = await api.client.request(method, re.sub(r"{\w+}", "x", path), headers=headers, content=b"{")
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), name
        says = f"The role {holder} lacks the right {right}." if is_person else f"The API key lacks the scope {right}."
        assert answer.json()["detail"] == says
        expected = f'Bearer error="insufficient_scope", scope="{right}"' if right in SCOPES else None
        assert answer.headers.get("www-authenticate") == expected


async def test_a_key_that_may_submit_takes_the_short_way(api: Api) -> None:
    """Once it is known, nobody is asked: neither about the key nor about the wallet."""
    user_id = str(uuid4())
    order = {**payment(), "source_wallet_id": api.wallet(user_id)}
    headers = {"Authorization": f"Bearer {api.key('transfers:write', user_id=user_id)}"}
    for _ in range(3):
        answer = await api.client.post("/v1/transfers", json=order, headers=headers)
        assert answer.status_code == 202, answer.text
    assert (len(api.requests.records), api.api_keys.asked, api.wallets.statements) == (3, 1, 1)
    api.api_keys.is_away = api.wallets.is_away = True
    assert (await api.client.post("/v1/transfers", json=order, headers=headers)).status_code == 202


async def test_a_key_without_the_scope_submits_nothing(api: Api) -> None:
    user_id = str(uuid4())
    order = {**payment(), "source_wallet_id": api.wallet(user_id)}
    headers = {"Authorization": f"Bearer {api.key('transfers:read', user_id=user_id)}"}
    for _ in range(2):
        assert (await api.client.post("/v1/transfers", json=order, headers=headers)).status_code == 403
    assert api.requests.records == []


def payment() -> dict[str, Any]:
    return {"destination_wallet_id": str(uuid4()), "amount": "1", "currency": "USD"}
