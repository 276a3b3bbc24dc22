"""Whether the process lives, and whether it can serve."""

from fastapi import APIRouter, Request

from ingest_api.draining import draining_of
from ingest_api.examples import answers
from ingest_api.problem_responses import problems
from ingest_api.problems import ProblemError
from ingest_api.readiness import DATABASE
from ingest_api.services import services_of
from schemas.codes import ProblemCode
from schemas.http import Health

router = APIRouter(tags=["operations"])


@router.get("/healthz", responses=answers(200, {"status": "ok"}))
async def is_alive() -> Health:
    """200 as long as the process lives."""
    return Health(status="ok")


@router.get(
    "/readyz",
    responses=answers(200, {"status": "ready"})
    | problems(503, ProblemCode.BROKER_UNAVAILABLE, ProblemCode.SHUTTING_DOWN),
)
async def is_ready(request: Request) -> Health:
    """200 if PostgreSQL answers with a schema that fits and Kafka has the topic; else 503 with what is missing.

    503 `shutting_down` when this process is about to stop: send it nothing new.
    """
    if draining_of(request).has_begun:
        raise ProblemError(503, ProblemCode.SHUTTING_DOWN)
    missing = await services_of(request).readiness.missing()
    if missing:
        parts = [part for part, _ in missing]
        code = ProblemCode.DATABASE_UNAVAILABLE if DATABASE in parts else ProblemCode.BROKER_UNAVAILABLE
        raise ProblemError(503, code, f"Not ready: {' and '.join(parts)}.", errors=missing)
    return Health(status="ready")
