"""Turns the servers' errors into one line for the person at the terminal."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from aiokafka.errors import KafkaError

from ops.errors import CommandError
from ops.topic_reader import TopicReadError
from schemas.codes import CliCode
from schemas.settings import Settings
from sinks.kafka.access import access_fault
from sinks.postgres.access import explain_refusal


@contextmanager
def explained(settings: Settings) -> Iterator[None]:
    """Raise CommandError in place of what Kafka and PostgreSQL raise when they are away or refuse.

    For use outside of an event loop: it looks into why Kafka does not answer.
    """
    kafka = settings.kafka_bootstrap_servers
    postgres = f"{settings.postgres_host}:{settings.postgres_port}"
    try:
        yield
    except TopicReadError as error:
        raise CommandError(str(error), CliCode.BROKER_UNAVAILABLE) from error
    except KafkaError as error:
        fault = asyncio.run(access_fault(settings)) or f"Kafka at {kafka} does not do what it is asked: {error}"
        raise CommandError(fault, CliCode.BROKER_UNAVAILABLE) from error
    except asyncpg.UndefinedTableError as error:
        missing = f"the database at {postgres} has no ledger: make it with `hfts migrate`"
        raise CommandError(missing, CliCode.DATABASE_UNAVAILABLE) from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        refusal = explain_refusal(settings, error) or f"PostgreSQL at {postgres} refuses: {error}"
        raise CommandError(refusal, CliCode.DATABASE_UNAVAILABLE) from error
    except OSError as error:
        away = f"PostgreSQL at {postgres} does not answer: {error}. Is it up?"
        raise CommandError(explain_refusal(settings, error) or away, CliCode.DATABASE_UNAVAILABLE) from error
