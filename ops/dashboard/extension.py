"""The dashboard as an extension of the API."""

from ingest_api.extension import Extension
from ops.dashboard.board import open_board
from ops.dashboard.routes import letters, live, page, transfers


def dashboard() -> Extension:
    """The page, what it asks for, and what is watched for it."""
    return Extension(
        routers=(page.page_router(), live.router, letters.router, transfers.router),
        beside=open_board,
    )
