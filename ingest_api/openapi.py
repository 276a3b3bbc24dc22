"""The OpenAPI document: every refusal is a problem document, and is written down as one, with its headers.

A route declares what its own code refuses, and its examples. What any request may run into, whatever it asks for, is
added here, with examples of the ids in paths.
"""

from copy import deepcopy
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from ingest_api.caller import SECURITY_SCHEMES
from ingest_api.envelope import UNBOUNDED_PATHS
from ingest_api.problem_responses import Refusal, problem_examples, problems
from ingest_api.problems import MEDIA_TYPE
from ingest_api.shared_refusals import share_refusals
from schemas import samples
from schemas.codes import ProblemCode
from schemas.http import Problem
from schemas.http_batch import AcceptedLine, NewTransferLine, RefusedLine
from schemas.http_reading import Statement

_REF = "#/components/schemas/{model}"

_MODELS = (Problem, NewTransferLine, AcceptedLine, RefusedLine, Statement)
"""What routes refer to by name."""

_HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": {
        "description": "The request's own id where it sent a sane one, else a new one.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,128}$"},
    },
    "Request-Id": {
        "description": "The same, under the name without X.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,128}$"},
    },
    "RateLimit-Policy": {
        "description": "What may be sent, where that is limited (draft-ietf-httpapi-ratelimit-headers-10).",
        "required": False,
        "schema": {"type": "string", "examples": ['"account";q=600;w=60']},
    },
    "RateLimit": {
        "description": "What is left of it.",
        "required": False,
        "schema": {"type": "string", "examples": ['"account";r=598;t=1']},
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
_PATH_EXAMPLES = {
    "address": "3:17",
    "code": ProblemCode.WALLET_NOT_FOUND,
    "group": "hfts-transfers",
    "hold_id": samples.TRANSFER,
    "key_id": "0190f5a4-3333-7000-8000-000000000003",
    "partition": 3,
    "transfer_id": samples.TRANSFER,
    "user_id": samples.ADA,
    "wallet_id": samples.ADAS_WALLET,
}
"""What stands in the braces of paths."""

_HEADERS_OF = {"401": ("WWW-Authenticate",), "429": ("Retry-After",), "503": ("Retry-After",)}


def install_openapi(app: FastAPI) -> None:
    """Let the app describe itself, with the problem document and the way to log in among its components."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = deepcopy(
                get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            )
            components = document.setdefault("components", {})
            for model in _MODELS:
                schema = model.model_json_schema(ref_template=_REF)
                components.setdefault("schemas", {}).update(schema.pop("$defs", {}) | {model.__name__: schema})
            components.setdefault("securitySchemes", {}).update(SECURITY_SCHEMES)
            components["headers"] = _HEADERS
            components["examples"] = problem_examples()
            for route in app.routes:
                if isinstance(route, APIRoute) and route.include_in_schema:
                    _put_examples(document["paths"][route.path_format], route)
            for path, operations in document["paths"].items():
                for operation in operations.values():
                    _complete(path, operation)
            share_refusals(document)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign] # FastAPI documents this way to extend it


def _put_examples(operations: dict[str, Any], route: APIRoute) -> None:
    """The examples as they were declared: FastAPI leaves out of them whatever is null."""
    for method in route.methods or ():
        operation = operations[method.lower()]
        declared = {str(status): response for status, response in route.responses.items()}
        pairs = [(operation["responses"][status], response) for status, response in declared.items()]
        if route.openapi_extra is not None and "requestBody" in route.openapi_extra:
            pairs.append((operation["requestBody"], route.openapi_extra["requestBody"]))
        for described, by_route in pairs:
            for media_type, content in by_route.get("content", {}).items():
                if "examples" in content:
                    described["content"][media_type]["examples"] = content["examples"]


def _complete(path: str, operation: dict[str, Any]) -> None:
    responses: dict[str, Any] = operation["responses"]
    for status, response in problems(*_common_refusals(path, operation)).items():
        examples: dict[str, Any] = response["content"][MEDIA_TYPE]["examples"]
        declared = responses.setdefault(str(status), response)["content"][MEDIA_TYPE]
        declared["examples"] = declared["examples"] | examples
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path" and parameter["name"] in _PATH_EXAMPLES:
            parameter["example"] = _PATH_EXAMPLES[parameter["name"]]
    for status, response in responses.items():
        names = ["Request-Id", "X-Request-Id", *_HEADERS_OF.get(status, ())]
        if "security" in operation or status == "429":
            names += ["RateLimit-Policy", "RateLimit"]
        if status == "202":
            names.append("Location")
        references = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
        responses[status] = {**response, "headers": {**references, **response.get("headers", {})}}
    operation["responses"] = dict(sorted(responses.items()))


def _common_refusals(path: str, operation: dict[str, Any]) -> list[Refusal]:
    """What any request of this operation may run into."""
    refusals: list[Refusal] = [ProblemCode.MALFORMED_REQUEST, 408, 431, 500]
    if "requestBody" in operation:
        refusals += [400, 413, 415]
    if "security" in operation:
        refusals += [401, 403, 429]
    if path not in UNBOUNDED_PATHS:
        refusals.append(ProblemCode.OVERLOADED)
    return refusals
