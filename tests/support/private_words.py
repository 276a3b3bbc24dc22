"""What no record may hold: addresses, but for that of a notification, passwords and their hashes, tokens and keys."""

from collections.abc import Iterable

import orjson
from plain_topics import records_of

from schemas.settings import Settings
from schemas.topics import AUDIT, NOTIFICATIONS, TRANSFERS_OUTCOMES, TRANSFERS_REQUESTED, Topic
from sinks.kafka.records import Consumed

# An address, bcrypt's hashes, a JWT, and what our refresh tokens and API keys begin with.
PRIVATE = (b"@", b"$2b$", b"eyJ", b"hfts_")


PIPELINE = (TRANSFERS_REQUESTED, TRANSFERS_OUTCOMES, AUDIT, NOTIFICATIONS)


async def assert_nothing_private(settings: Settings, *secrets: str, topics: Iterable[Topic] = PIPELINE) -> None:
    """Look through key, value and headers of every record; there must be some on each topic."""
    words = (*PRIVATE, *(secret.encode() for secret in secrets))
    for topic in topics:
        records = await records_of(settings, topic)
        assert records, topic.name
        for record in records:
            content = _content(record, is_addressed=topic is NOTIFICATIONS)
            assert not [word for word in words if word in content], (topic.name, record.partition, record.offset)


def _content(record: Consumed, *, is_addressed: bool) -> bytes:
    value = record.value or b""
    if is_addressed:
        value = orjson.dumps({**orjson.loads(value), "email": None})
    headers = b" ".join(name.encode() + b" " + (each or b"") for name, each in record.headers)
    return b" ".join((record.key or b"", value, headers))
