"""Routes whose JSON bodies mean the same to every reader."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from ingest_api.problems import ProblemError
from schemas.codes import ProblemCode
from schemas.strict_json import loads_strict


class StrictRequest(Request):
    """Reads JSON in UTF-8 with unique keys, or refuses it as malformed."""

    async def json(self) -> Any:
        """The body's value. Raises ProblemError."""
        try:
            return loads_strict(await self.body())
        except ValueError as error:
            raise ProblemError(400, ProblemCode.MALFORMED_BODY, f"The body is not strict JSON: {error}.") from None


class StrictRoute(APIRoute):
    """A route that gets a StrictRequest."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, given the stricter request."""
        handle = super().get_route_handler()

        async def handle_strictly(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive))

        return handle_strictly
