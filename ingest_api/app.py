"""The app: everything is built from the settings, and nothing when this module is imported."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from ingest_api.draining import Draining
from ingest_api.envelope import Envelope
from ingest_api.extension import ALONE, Extension
from ingest_api.in_progress import InProgress
from ingest_api.openapi import install_openapi
from ingest_api.problem_handlers import install_problem_handlers
from ingest_api.routes import (
    accounts,
    api_keys,
    auth,
    balances,
    batches,
    deliveries,
    deposits,
    docs,
    errors,
    events,
    health,
    holds,
    limits,
    me,
    metrics,
    notification_preferences,
    password_resets,
    pending,
    reversals,
    sessions,
    statements,
    transfer_lists,
    transfers,
    users,
    wallet_status,
    wallets,
    webhooks,
)
from ingest_api.services import OpenServices, open_services
from ingest_api.short_way import ShortWay
from ingest_api.telemetry import telemetry_config
from schemas.settings import Settings

_DESCRIPTION = """
Submit money transfers, and ask what became of them.

Amounts are decimal strings, times RFC 3339, currencies ISO 4217. Every refusal is a problem document (RFC 9457) whose
`code` is of a closed list: [/v1/errors](/v1/errors) says of each what to do next. The topics are described at
[/docs/topics](/docs/topics).
"""


def create_app(
    settings: Settings, *, open_services: OpenServices = open_services, extension: Extension = ALONE
) -> FastAPI:
    """The app for these settings. Its services are opened when it starts, and closed when it stops."""
    draining = Draining()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_services(settings) as services, extension.beside(settings) as beside:
            app.state.services = services
            draining.when_leaving(services.outcomes.waits.close)
            app.state.beside = beside
            yield

    app = FastAPI(
        title="Transfers",
        description=_DESCRIPTION,
        version=version("hfts"),
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,  # we have pages of our own
        redoc_url=None,
        telemetry=telemetry_config(),
    )
    # Routes are tried in order, so the busiest come first, and FastAPI's own last. They stand in one flat list: an
    # included router would be tried, too.
    busy = (
        transfers,
        transfer_lists,
        batches,
        events,
        holds,
        reversals,
        deposits,
        wallets,
        balances,
        statements,
        pending,
        me,
        users,
        sessions,
        auth,
    )
    told = (notification_preferences, webhooks, deliveries)
    modules = (*busy, *told, wallet_status, limits, accounts, api_keys, password_resets, errors, health, metrics, docs)
    routers = [*(module.router for module in modules), *extension.routers]
    app.router.routes[:0] = [route for router in routers for route in router.routes]
    install_problem_handlers(app)
    install_openapi(app)
    [submitting] = [
        route for route in transfers.router.routes if getattr(route, "endpoint", None) is transfers.submit_transfer
    ]
    app.add_middleware(ShortWay, route=submitting)
    app.state.draining = draining
    app.add_middleware(Envelope, in_progress=InProgress(), draining=draining)
    return app
