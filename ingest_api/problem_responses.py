"""How a route writes down the problems it may end in, and where its answer points to."""

from http import HTTPStatus
from typing import Any

from ingest_api.problems import MEDIA_TYPE

_CONTENT = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}

LOCATION: dict[str, Any] = {"headers": {"Location": {"$ref": "#/components/headers/Location"}}}
"""The response of a route that makes something."""


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route that may end in these statuses."""
    return {status: {"description": HTTPStatus(status).phrase, "content": _CONTENT} for status in statuses}
