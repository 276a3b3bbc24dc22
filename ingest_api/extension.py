"""How another package adds to the API what the API itself may not import: routes, and what runs beside it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

from fastapi import APIRouter, Request

from schemas.settings import Settings

Beside = Callable[[Settings], AbstractAsyncContextManager[object]]
"""What is open for as long as the API runs. It must not raise what would end it."""


def nothing_beside(_: Settings) -> AbstractAsyncContextManager[object]:
    """The API alone."""
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Extension:
    """Routes, which are tried after the API's own, and what is open beside it: they find that with `beside_of`."""

    routers: Sequence[APIRouter] = ()
    beside: Beside = nothing_beside


ALONE = Extension()
"""Nothing is added."""


def beside_of(request: Request) -> object:
    """What the extension has opened beside the app that serves this request."""
    found: object = request.app.state.beside
    return found
