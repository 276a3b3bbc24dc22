"""Figures for Prometheus."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from ingest_api.examples import answers

_EXAMPLE = 'hfts_http_requests_total{route="/v1/transfers",status="202"} 1815.0\n'

router = APIRouter(tags=["operations"])


@router.get(
    "/metrics",
    response_class=Response,
    responses=answers(200, _EXAMPLE, media_type=CONTENT_TYPE_LATEST, description="The metrics."),
)
async def read_metrics() -> Response:
    """The metrics of this process in Prometheus's text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
