"""What the functions behind the dashboard raise, as problem documents."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import structlog
from aiokafka.errors import KafkaError

from ingest_api.problems import ProblemError
from ops.dlq.errors import BusyError, DeadLetterError, NoLetterError, OvertakenError, UnconfirmedError
from ops.topic_reader import TopicReadError
from schemas.codes import ProblemCode
from sinks.errors import DatabaseAwayError
from sinks.postgres.faults import is_transient

AWAY = (503, ProblemCode.BROKER_UNAVAILABLE, ProblemCode.OVERLOADED)
"""What a route that asks Kafka and PostgreSQL may end in."""

_log = structlog.get_logger(__name__)


@contextmanager
def as_problems() -> Iterator[None]:
    """Raise ProblemError in place of what dead letters, Kafka and PostgreSQL raise. A fault of ours stays as it is."""
    try:
        yield
    except NoLetterError as error:
        raise ProblemError(404, ProblemCode.LETTER_NOT_FOUND, _sentence(error)) from error
    except (BusyError, OvertakenError) as error:
        raise ProblemError(409, ProblemCode.LETTERS_BUSY, _sentence(error)) from error
    except UnconfirmedError as error:
        raise ProblemError(503, ProblemCode.BROKER_UNAVAILABLE, _sentence(error)) from error
    except DeadLetterError as error:
        raise ProblemError(409, ProblemCode.LETTER_NOT_REPLAYABLE, _sentence(error)) from error
    except (TopicReadError, KafkaError, TimeoutError) as error:
        _log.warning("dashboard.kafka_away", error=f"{type(error).__name__}: {error}")
        raise ProblemError(503, ProblemCode.BROKER_UNAVAILABLE, "Kafka does not answer as it should.") from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        if not is_transient(error):
            raise
        raise DatabaseAwayError("PostgreSQL is away") from error


def _sentence(error: DeadLetterError) -> str:
    text = str(error)
    return text[:1].upper() + text[1:] + "."
