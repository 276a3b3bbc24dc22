"""Refusals of the OpenAPI document: each is written down once, and routes refer to it."""

from typing import Any

from ingest_api.problems import MEDIA_TYPE

_LIMITED = "RateLimit"


def share_refusals(document: dict[str, Any]) -> None:
    """Move refusals from routes to ``components.responses``, by status and codes.

    Raises ValueError for two that differ in anything but their codes and whether a rate limit is told.
    """
    shared: dict[str, Any] = document["components"].setdefault("responses", {})
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if MEDIA_TYPE in response.get("content", {}):
                    name = _name(status, response)
                    if shared.setdefault(name, response) != response:
                        raise ValueError(f"two refusals would be {name}")
                    operation["responses"][status] = {"$ref": f"#/components/responses/{name}"}
    document["components"]["responses"] = dict(sorted(shared.items()))


def _name(status: str, response: dict[str, Any]) -> str:
    parts = [status, *sorted(response["content"][MEDIA_TYPE]["examples"])]
    return ".".join([*parts, "limited"] if _LIMITED in response["headers"] else parts)
