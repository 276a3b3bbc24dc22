"""What each document holds. Pure: no file is read or written."""

import json
from collections.abc import Mapping
from typing import Any

import yaml

from ingest_api.app import create_app
from ops.contract.error_page import error_page
from ops.dashboard.extension import dashboard
from schemas.asyncapi import asyncapi
from schemas.message_schemas import value_schemas
from schemas.settings import Settings

_OPENAPI = "openapi.json"
_NOT_A_SECRET = "n" * 32
_MADE = "# Made of the program by `make contract`.\n"


def contract_files() -> dict[str, str]:
    """Texts by path, from the folder of documents. They depend on nothing but the program."""
    openapi = openapi_document()
    return {
        _OPENAPI: json_text(openapi),
        "asyncapi.yaml": _MADE + _yaml_text(asyncapi(openapi["info"]["version"])),
        **{f"schemas/{name}.json": json_text(schema) for name, schema in value_schemas().items()},
        "errors.md": error_page(),
    }


def openapi_document() -> dict[str, Any]:
    """The API's document, the dashboard's routes among it."""
    settings = Settings(_env_file=None, postgres_password=_NOT_A_SECRET, secret_key=_NOT_A_SECRET)
    document: dict[str, Any] = json.loads(json.dumps(create_app(settings, extension=dashboard()).openapi()))
    return document


def json_text(value: Mapping[str, Any]) -> str:
    """Indented, as it stands in the repository."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _yaml_text(value: Mapping[str, Any]) -> str:
    plain = json.loads(json.dumps(value))  # enumerations as text, and nothing that would become an anchor
    return yaml.dump(plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as they are."""


def _as_it_is(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _as_it_is)
