"""The documentation for people, at /docs (Swagger UI), /redoc and /docs/topics; all of it from our own host.

The scripts are those of the package ``fastapi-offline``; of it only the files are used.
"""

from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import orjson
from fastapi import APIRouter, Response
from starlette.responses import FileResponse

from ingest_api.problems import ProblemError
from ingest_api.topics_page import topics_page
from schemas.asyncapi import asyncapi
from schemas.codes import ProblemCode

router = APIRouter(include_in_schema=False)

OURS = Path(__file__).parents[1] / "docs_pages"
SCRIPTS = Path(str(files("fastapi_offline"))) / "static"

_FILES = {path.name: path for path in (*OURS.iterdir(), *SCRIPTS.iterdir()) if path.suffix in {".css", ".js", ".png"}}

_SHUT = "default-src 'none'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_STATIC_POLICY = f"{_SHUT}; style-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"
"""For a page without a script."""

_SCRIPT_POLICY = f"{_SHUT}; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; worker-src blob:"
"""Swagger UI and Redoc write styles into the page, and Redoc searches in a worker of its own."""

_HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_CACHED = {"Cache-Control": "public, max-age=3600"}

_ASYNCAPI = asyncapi(version("hfts"))
_TOPICS = topics_page(orjson.loads(orjson.dumps(_ASYNCAPI))).encode()


@router.get("/docs")
async def read_swagger() -> Response:
    """The HTTP API, to try out."""
    return _page((OURS / "swagger.html").read_bytes(), _SCRIPT_POLICY)


@router.get("/redoc")
async def read_redoc() -> Response:
    """The HTTP API, to read."""
    return _page((OURS / "redoc.html").read_bytes(), _SCRIPT_POLICY)


@router.get("/docs/topics")
async def read_topics() -> Response:
    """Topics and messages."""
    return _page(_TOPICS, _STATIC_POLICY)


@router.get("/asyncapi.json")
async def read_asyncapi() -> Response:
    """Topics and messages, for programs."""
    return Response(orjson.dumps(_ASYNCAPI), headers=_CACHED, media_type="application/json")


@router.get("/docs/static/{name}")
async def read_file(name: str) -> Response:
    """A file of these pages."""
    path = _FILES.get(name)
    if path is None:
        raise ProblemError(404, ProblemCode.NOT_FOUND)
    return FileResponse(path, headers={**_HEADERS, **_CACHED})


def _page(content: bytes, policy: str) -> Response:
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-cache", **_HEADERS}
    return Response(content, headers=headers, media_type="text/html; charset=utf-8")
