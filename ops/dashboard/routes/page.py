"""The page itself. It holds no data, so that anyone may load it; what it shows, it asks for with a token."""

from fastapi import APIRouter, Request, Response

from ingest_api.problems import ProblemError
from ops.dashboard.page_files import INDEX, is_known, page_files
from schemas.codes import ProblemCode

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Nothing from elsewhere, nothing inline, and no text that becomes markup."""

HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",  # keep it, and ask each time whether it is still the same
}


def page_router() -> APIRouter:
    """Routes of the page and its files, which are read now."""
    router = APIRouter(include_in_schema=False)
    files = page_files()

    def answer(request: Request, name: str) -> Response:
        found = files.get(name)
        if found is None:
            raise ProblemError(404, ProblemCode.NOT_FOUND)
        headers = {**HEADERS, "ETag": found.etag}
        if is_known(found.etag, request.headers.get("if-none-match")):
            return Response(status_code=304, headers=headers)
        return Response(found.content, headers=headers, media_type=found.media_type)

    @router.get("/ops")
    async def read_page(request: Request) -> Response:
        return answer(request, INDEX)

    @router.get("/ops/static/{name}")
    async def read_file(request: Request, name: str) -> Response:
        return answer(request, name)

    return router
