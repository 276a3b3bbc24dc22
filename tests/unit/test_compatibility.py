"""What was released keeps working: each breaking change of a schema is found, and each addition passes."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from contract_breaks import asyncapi_breaks, code_breaks, openapi_breaks
from schema_breaks import Comparison, Direction

from ops.contract.files import contract_files

RELEASED = Path(__file__).parents[2] / "docs" / "released"
NOW = contract_files()
OPENAPI = json.loads(NOW["openapi.json"])
ASYNCAPI = yaml.safe_load(NOW["asyncapi.yaml"])

Change = Callable[[dict[str, Any]], Any]


def test_nothing_released_is_broken() -> None:
    breaks = [
        *openapi_breaks(json.loads((RELEASED / "openapi.json").read_text()), OPENAPI),
        *asyncapi_breaks(yaml.safe_load((RELEASED / "asyncapi.yaml").read_text()), ASYNCAPI),
        *code_breaks((RELEASED / "errors.md").read_text(), NOW["errors.md"]),
    ]
    assert not breaks, "docs/api-conventions.md says what may change"


BASE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "maxLength": 10, "pattern": "^a"},
        "count": {"type": "integer", "minimum": 1},
        "kind": {"type": "string", "enum": ["a", "b"]},
        "code": {"type": "string", "enum": ["a", "b"], "x-extensible": True},
        "maybe": {"type": ["string", "null"]},
        "list": {"type": "array", "items": {"type": "string"}},
        "free": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "required": ["text"],
}


def prop(name: str, **more: Any) -> Change:
    return lambda schema: schema["properties"].__setitem__(name, {**schema["properties"].get(name, {}), **more})


def without(name: str, word: str) -> Change:
    return lambda schema: schema["properties"][name].pop(word)


BOTH: tuple[Direction, ...] = ("in", "out")
CHANGES: list[tuple[str, Change, tuple[Direction, ...]]] = [
    ("field removed", lambda s: s["properties"].pop("count"), BOTH),
    ("optional field added", prop("new", type="string"), ()),
    ("field becomes required", lambda s: s["required"].append("count"), ("in",)),
    ("field becomes optional", lambda s: s["required"].clear(), ("out",)),
    ("unknown fields refused", lambda s: s.update(additionalProperties=False), ("in",)),
    ("type changed", prop("count", type="string"), BOTH),
    ("type widened", prop("count", type="number"), ("out",)),
    ("null let in", prop("text", type=["string", "null"]), ("out",)),
    ("null no more", prop("maybe", type="string"), ("in",)),
    (
        "nullable as anyOf",
        lambda s: s["properties"].update(maybe={"anyOf": [{"type": "string"}, {"type": "null"}]}),
        (),
    ),
    ("value removed", prop("kind", enum=["a"]), ("in",)),
    ("value added", prop("kind", enum=["a", "b", "c"]), ("out",)),
    ("value added to a list that may grow", prop("code", enum=["a", "b", "c"]), ()),
    ("value removed from a list that may grow", prop("code", enum=["a"]), BOTH),
    ("enumeration given up", without("kind", "enum"), ("out",)),
    ("enumeration begun", prop("text", enum=["a"]), ("in",)),
    ("shorter", prop("text", maxLength=9), ("in",)),
    ("longer", prop("text", maxLength=11), ("out",)),
    ("any length", without("text", "maxLength"), ("out",)),
    ("larger", prop("count", minimum=2), ("in",)),
    ("smaller", prop("count", minimum=0), ("out",)),
    ("bound added", prop("count", maximum=9), ("in",)),
    ("another pattern", prop("text", pattern="^b"), BOTH),
    ("no pattern", without("text", "pattern"), ("out",)),
    ("format added", prop("maybe", format="uuid"), ("in",)),
    ("items of another type", prop("list", items={"type": "integer"}), BOTH),
    ("values of another type", prop("free", additionalProperties={"type": "integer"}), BOTH),
    ("described", lambda s: s.update(description="x", title="y"), ()),
]


@pytest.mark.parametrize("direction", BOTH)
@pytest.mark.parametrize(("change", "breaking"), [each[1:] for each in CHANGES], ids=[each[0] for each in CHANGES])
def test_changes_of_a_schema(change: Change, breaking: tuple[Direction, ...], direction: Direction) -> None:
    new = deepcopy(BASE)
    change(new)
    found = Comparison(BASE, new, direction).breaks(BASE, new, "body")
    assert bool(found) == (direction in breaking), found


def test_a_schema_may_hold_itself() -> None:
    tree = {"$ref": "#/tree"}
    old: dict[str, Any] = {"tree": {"type": "object", "properties": {"left": tree, "name": {"type": "string"}}}}
    new = deepcopy(old)
    assert Comparison(old, new, "out").breaks(tree, tree, "tree") == []
    new["tree"]["properties"].pop("name")
    assert Comparison(old, new, "out").breaks(tree, tree, "tree") == ["tree.name: the field is gone"]


def operation(document: dict[str, Any], path: str = "/v1/wallets", method: str = "post") -> dict[str, Any]:
    found: dict[str, Any] = document["paths"][path][method]
    return found


def parameter(**more: Any) -> dict[str, Any]:
    return {"in": "query", "name": "x", "schema": {"type": "string"}, **more}


ROUTES: list[tuple[str, Change, bool]] = [
    ("as it is", lambda _: None, False),
    ("route removed", lambda d: d["paths"].pop("/v1/me"), True),
    ("method removed", lambda d: d["paths"]["/v1/wallets"].pop("get"), True),
    ("route added", lambda d: d["paths"].update({"/v1/new": d["paths"]["/v1/me"]}), False),
    ("login needed", lambda d: operation(d, "/v1/users").update(security=[{}]), True),
    ("parameter added", lambda d: operation(d).update(parameters=[parameter()]), False),
    ("parameter demanded", lambda d: operation(d).update(parameters=[parameter(required=True)]), True),
    ("parameter removed", lambda d: operation(d, "/v1/wallets/{wallet_id}/entries", "get")["parameters"].pop(), True),
    ("body field demanded", lambda d: d["components"]["schemas"]["NewWallet"]["required"].append("user_id"), True),
    ("body refused", lambda d: operation(d)["requestBody"]["content"].pop("application/json"), True),
    ("answer gone", lambda d: operation(d)["responses"].pop("201"), True),
    ("refusal gone", lambda d: operation(d)["responses"].pop("409"), False),
    ("answer's field gone", lambda d: d["components"]["schemas"]["Wallet"]["properties"].pop("balance"), True),
    ("answer's field added", lambda d: d["components"]["schemas"]["Wallet"]["properties"].update(x={}), False),
    ("header gone", lambda d: operation(d)["responses"]["201"]["headers"].pop("Location"), True),
    ("code gone", lambda d: d["components"]["schemas"]["ProblemCode"]["enum"].pop(), True),
    ("code added", lambda d: d["components"]["schemas"]["ProblemCode"]["enum"].append("new"), False),
    ("currency gone", lambda d: d["components"]["schemas"]["NewWallet"]["properties"]["currency"]["enum"].pop(), True),
]


@pytest.mark.parametrize(("change", "is_breaking"), [each[1:] for each in ROUTES], ids=[each[0] for each in ROUTES])
def test_changes_of_the_api(change: Change, is_breaking: bool) -> None:
    new = deepcopy(OPENAPI)
    change(new)
    found = openapi_breaks(OPENAPI, new)
    assert bool(found) == is_breaking, found


def message(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["messages"][name]
    return found


TOPICS: list[tuple[str, Change, bool]] = [
    ("as it is", lambda _: None, False),
    ("operation gone", lambda d: d["operations"].pop("send-notification"), True),
    ("other way round", lambda d: d["operations"]["send-notification"].update(action="receive"), True),
    ("renamed", lambda d: d["channels"]["audit"].update(address="audits"), True),
    ("message gone", lambda d: d["channels"]["audit"]["messages"].clear(), True),
    ("other bytes", lambda d: message(d, "notification").update(contentType="application/avro"), True),
    ("other key", lambda d: message(d, "notification")["bindings"]["kafka"]["key"].update(type="integer"), True),
    ("header demanded", lambda d: message(d, "transfer-request")["headers"]["required"].append("signature"), True),
    ("header lost", lambda d: message(d, "transfer-outcome")["headers"]["required"].clear(), True),
    (
        "request field demanded",
        lambda d: message(d, "transfer-request")["payload"]["required"].append("reference"),
        True,
    ),
    ("outcome field gone", lambda d: message(d, "transfer-outcome")["payload"]["properties"].pop("reason"), True),
    ("outcome field added", lambda d: message(d, "transfer-outcome")["payload"]["properties"].update(x={}), False),
    (
        "status added",
        lambda d: message(d, "transfer-outcome")["payload"]["properties"]["status"]["enum"].append("REVERSED"),
        True,
    ),
    (
        "reason added",
        lambda d: message(d, "transfer-outcome")["payload"]["properties"]["reason"]["enum"].append("too_late"),
        False,
    ),
]


@pytest.mark.parametrize(("change", "is_breaking"), [each[1:] for each in TOPICS], ids=[each[0] for each in TOPICS])
def test_changes_of_topics(change: Change, is_breaking: bool) -> None:
    new = deepcopy(ASYNCAPI)
    change(new)
    found = asyncapi_breaks(ASYNCAPI, new)
    assert bool(found) == is_breaking, found


def test_codes_are_never_taken_away() -> None:
    page = NOW["errors.md"]
    fewer = "".join(line for line in page.splitlines(keepends=True) if not line.startswith("| `stack_failed`"))
    assert code_breaks(page, fewer) == ["the code stack_failed (command line) is gone"]
    assert code_breaks(fewer, page) == []
