"""The OpenAPI document: every refusal is a problem document, and is written down as one, with its headers.

A route declares what its own code refuses. What any request may run into, whatever it asks for, is added here.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from ingest_api.caller import SCHEME_NAME, SECURITY_SCHEME
from ingest_api.envelope import UNBOUNDED_PATHS
from ingest_api.problem_responses import problems
from schemas.http import Problem
from schemas.http_batch import AcceptedLine, NewTransferLine, RefusedLine

_REF = "#/components/schemas/{model}"

_MODELS = (Problem, NewTransferLine, AcceptedLine, RefusedLine)
"""What routes refer to by name."""

_HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": {
        "description": "The request's own id where it sent a sane one, else a new one.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,128}$"},
    },
    "Retry-After": {
        "description": "Seconds.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {
        "description": "RFC 6750 section 3.",
        "required": True,
        "schema": {"type": "string", "pattern": "^Bearer"},
    },
    "Location": {
        "description": "Where to ask for it.",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
    },
}
_HEADERS_OF = {"401": ("WWW-Authenticate",), "429": ("Retry-After",), "503": ("Retry-After",)}


def install_openapi(app: FastAPI) -> None:
    """Let the app describe itself, with the problem document and the way to log in among its components."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            components = document.setdefault("components", {})
            for model in _MODELS:
                schema = model.model_json_schema(ref_template=_REF)
                components.setdefault("schemas", {}).update(schema.pop("$defs", {}) | {model.__name__: schema})
            components.setdefault("securitySchemes", {})[SCHEME_NAME] = SECURITY_SCHEME
            components["headers"] = _HEADERS
            for path, operations in document["paths"].items():
                for operation in operations.values():
                    _complete(path, operation)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign] # FastAPI documents this way to extend it


def _complete(path: str, operation: dict[str, Any]) -> None:
    responses: dict[str, Any] = operation["responses"]
    for status, response in problems(*_common_statuses(path, operation)).items():
        responses.setdefault(str(status), response)
    for status, response in responses.items():
        names = ["X-Request-Id", *_HEADERS_OF.get(status, ())]
        if status == "202":
            names.append("Location")
        references = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
        responses[status] = {**response, "headers": {**references, **response.get("headers", {})}}
    operation["responses"] = dict(sorted(responses.items()))


def _common_statuses(path: str, operation: dict[str, Any]) -> list[int]:
    """What any request of this operation may run into."""
    statuses = [400, 408, 431, 500]
    if "requestBody" in operation:
        statuses += [413, 415]
    if "security" in operation:
        statuses += [401, 429]
    if path not in UNBOUNDED_PATHS:
        statuses.append(503)
    return statuses
