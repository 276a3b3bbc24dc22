"""Runs a load for the command line."""

import aiohttp
import uvloop
from pydantic import ValidationError

from ops.configuration import explain, load_settings
from ops.errors import CommandError
from ops.load.access import ApiAccess
from ops.load.http_sender import HttpError
from ops.load.report import FloodReport, LoadReport
from ops.load.run import run_flood, run_http, run_kafka
from ops.load.wallets import StalledError
from ops.reading_progress import reading_progress
from ops.server_errors import explained


def run_load(*, rate: float, duration_s: float, over_http: bool, wallets: int, count: int) -> LoadReport | FloodReport:
    """The load that the options describe. Raises CommandError."""
    settings = load_settings()
    with explained(settings):
        try:
            if over_http:
                access = _access()
                return uvloop.run(run_http(settings, access, rate=rate, duration_s=duration_s, wallets=wallets))
            if rate > 0:
                return uvloop.run(run_kafka(settings, rate=rate, duration_s=duration_s, wallets=wallets))
            with reading_progress() as progress:
                return uvloop.run(run_flood(settings, count=count, wallets=wallets, progress=progress))
        except StalledError as error:
            raise CommandError(str(error)) from error
        except (HttpError, aiohttp.ClientError) as error:
            raise CommandError(f"the API does not play along: {error}") from error


def _access() -> ApiAccess:
    try:
        return ApiAccess()
    except ValidationError as error:
        raise CommandError(explain(error)) from None
