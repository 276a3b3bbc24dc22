"""The OpenAPI document: every refusal is a problem document, and is written down as one."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from ingest_api.caller import SCHEME_NAME, SECURITY_SCHEME
from schemas.http import Problem

_REF = "#/components/schemas/{model}"


def install_openapi(app: FastAPI) -> None:
    """Let the app describe itself, with the problem document and the way to log in among its components."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            components = document.setdefault("components", {})
            problem = Problem.model_json_schema(ref_template=_REF)
            components.setdefault("schemas", {}).update(problem.pop("$defs", {}), Problem=problem)
            components.setdefault("securitySchemes", {})[SCHEME_NAME] = SECURITY_SCHEME
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign] # FastAPI documents this way to extend it
