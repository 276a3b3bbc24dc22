"""The documents in docs/ are those that the program makes, and every route and error has an example that is right."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from ops.contract.files import contract_files, json_text

DOCS = Path(__file__).parents[2] / "docs"
FILES = contract_files()
OPENAPI = json.loads(FILES["openapi.json"])
PROBLEM = "application/problem+json"
LINES = "application/x-ndjson"


def contents() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every body of a request or an answer, by its place in the document."""
    for path, operations in OPENAPI["paths"].items():
        for method, operation in operations.items():
            for kind, content in operation.get("requestBody", {}).get("content", {}).items():
                yield f"{method} {path} takes {kind}", content
            for status, response in operation["responses"].items():
                for kind, content in resolved(response).get("content", {}).items():
                    yield f"{method} {path} {status} {kind}", content


def values(content: dict[str, Any]) -> Iterator[Any]:
    for example in content.get("examples", {}).values():
        yield resolved(example)["value"]


def resolved(found: dict[str, Any]) -> Any:
    while "$ref" in found:
        *_, section, name = found["$ref"].split("/")
        found = OPENAPI["components"][section][name]
    return found


@pytest.mark.parametrize("name", FILES)
def test_documents_are_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text() == FILES[name], "run `make contract`"


def test_no_other_schema_is_left() -> None:
    assert {f"schemas/{path.name}" for path in (DOCS / "schemas").iterdir()} <= FILES.keys()


def test_every_route_and_error_has_an_example() -> None:
    missing = [place for place, content in contents() if not list(values(content))]
    assert not missing, "declare them with `takes`, `answers` (ingest_api/examples.py) and codes in `problems`"


def test_every_id_in_a_path_has_an_example() -> None:
    missing = [
        f"{path} {parameter['name']}"
        for path, operations in OPENAPI["paths"].items()
        for operation in operations.values()
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "path" and "example" not in parameter
    ]
    assert not missing, "add them to `_PATH_EXAMPLES` in ingest_api/openapi.py"


def test_examples_are_right_by_their_schemas() -> None:
    for place, content in contents():
        if "schema" not in content or place.endswith(LINES):
            continue
        schema = {**content["schema"], "components": OPENAPI["components"]}
        check = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
        for value in values(content):
            assert check.is_valid(value), (place, [str(error) for error in check.iter_errors(value)])


def test_examples_of_errors_have_the_status_of_their_answer() -> None:
    for place, content in contents():
        if place.endswith(PROBLEM):
            assert {value["status"] for value in values(content)} == {int(place.split()[2])}, place


def test_texts_of_documents_end_with_a_line() -> None:
    assert json_text({"a": "ö"}) == '{\n  "a": "ö"\n}\n'
