"""Turns the servers' errors into one line for the person at the terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from aiokafka.errors import KafkaError

from ops.errors import CommandError
from ops.topic_reader import TopicReadError
from schemas.settings import Settings


@contextmanager
def explained(settings: Settings) -> Iterator[None]:
    """Raise CommandError in place of what Kafka and PostgreSQL raise when they are away or refuse."""
    kafka = settings.kafka_bootstrap_servers
    postgres = f"{settings.postgres_host}:{settings.postgres_port}"
    try:
        yield
    except TopicReadError as error:
        raise CommandError(str(error)) from error
    except KafkaError as error:
        raise CommandError(f"Kafka at {kafka} does not answer: {error}. Is it up? `hfts doctor` tells more") from error
    except asyncpg.UndefinedTableError as error:
        raise CommandError(f"the database at {postgres} has no ledger: make it with `hfts migrate`") from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise CommandError(f"PostgreSQL at {postgres} refuses: {error}") from error
    except OSError as error:
        raise CommandError(f"PostgreSQL at {postgres} does not answer: {error}. Is it up?") from error
