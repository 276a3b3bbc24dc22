"""Examples in the OpenAPI document, put where a route is declared. A test lists what has none."""

from typing import Any

JSON = "application/json"

_NAME = "example"


def takes(value: Any, *, media_type: str = JSON, **more: Any) -> dict[str, Any]:
    """The ``openapi_extra`` of a route with such a body, with ``more`` of it."""
    return {"requestBody": {"content": {media_type: {"examples": _examples(value)}}}, **more}


def answers(status: int, value: Any, *, media_type: str = JSON, **more: Any) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route that answers so, with ``more`` of that response."""
    return {status: {"content": {media_type: {"examples": _examples(value)}}, **more}}


def answers_either(
    status: int, values: dict[str, Any], *, media_type: str = JSON, **more: Any
) -> dict[int | str, dict[str, Any]]:
    """Likewise for a route that has several kinds of answers with this status, each with an example by its name."""
    return {status: {"content": {media_type: {"examples": {name: {"value": v} for name, v in values.items()}}}, **more}}


def _examples(value: Any) -> dict[str, Any]:
    return {_NAME: {"value": value}}
