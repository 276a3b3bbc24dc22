"""One closed list of codes: what each says, what the program answers with, what its pages say."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.cli import code_of, main
from ops.dlq.errors import BusyError
from ops.errors import CommandError
from schemas.codes import CliCode, Code, ProblemCode
from schemas.error_list import PLACES, occurrences, occurrences_of
from sinks.errors import BrokerAwayError, DatabaseAwayError, MigrationError
from tests.unit.conftest import Api

ROOT = Path(__file__).parents[2]
EVERY_CODE = [code for codes in PLACES.values() for code in codes]


@pytest.mark.parametrize("code", EVERY_CODE, ids=lambda code: f"{type(code).__name__}-{code}")
def test_each_says_what_it_means_and_what_to_do(code: Code) -> None:
    for sentence in (code.meaning, code.next_step):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
    assert bool(code.statuses) == isinstance(code, ProblemCode | CliCode)


def test_a_word_stands_once_in_each_place() -> None:
    for codes in PLACES.values():
        assert len(set(codes)) == len(codes.__members__)
    assert [(each.where, each.code.statuses) for each in occurrences_of("wallet_not_found")] == [
        ("http", (404,)),
        ("transfer", ()),
    ]
    assert len(list(occurrences())) == len(EVERY_CODE)
    assert occurrences_of("no_such_code") == []


def raised() -> Iterator[tuple[str, int, str]]:
    """Where, with which status and which code ProblemError is made, as far as both are written there."""
    for path in [*(ROOT / "ingest_api").rglob("*.py"), *(ROOT / "ops").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "ProblemError":
                match node.args:
                    case [ast.Constant(int(status)), ast.Attribute(attr=name), *_]:
                        yield f"{path.relative_to(ROOT)}:{node.lineno}", status, name


def test_problems_have_the_statuses_of_the_list() -> None:
    wrong = [each for each in raised() if each[1] not in ProblemCode[each[2]].statuses]
    assert not wrong
    assert len(list(raised())) > 30


async def test_the_list_is_served(api: Api) -> None:
    answer = await api.client.get("/v1/errors")
    assert [each["code"] for each in answer.json()["data"]] == sorted(set(EVERY_CODE))
    assert answer.headers["cache-control"] == "public, max-age=3600"


async def test_a_problem_leads_to_its_explanation(api: Api) -> None:
    problem = (await api.client.get("/nowhere")).json()
    answer = await api.client.get(problem["doc_url"])
    assert answer.json() == {
        "code": "not_found",
        "occurrences": [
            {
                "where": "http",
                "statuses": [404],
                "meaning": ProblemCode.NOT_FOUND.meaning,
                "next_step": ProblemCode.NOT_FOUND.next_step,
            }
        ],
    }
    unknown = await api.client.get("/v1/errors/no_such_code")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CommandError("x"), "command_refused"),
        (CommandError("x", CliCode.SETTINGS_INVALID), "settings_invalid"),
        (BusyError("x"), "letters_busy"),
        (DatabaseAwayError("x"), "database_unavailable"),
        (BrokerAwayError("x"), "broker_unavailable"),
        (MigrationError("x"), "command_refused"),
    ],
)
def test_the_command_line_names_its_code(
    error: Exception, code: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr("ops.cli.build_app", lambda: fail)
    with pytest.raises(SystemExit) as caught:
        main()
    assert capsys.readouterr().err == f"hfts: x [{code}]\n"
    assert isinstance(error, CommandError | DatabaseAwayError | BrokerAwayError | MigrationError)
    assert caught.value.code in code_of(error).statuses
