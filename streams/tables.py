"""Apps with Faust tables over record batches: what an agent of one's own is made with, such as `streams/rates.py`."""

import asyncio
import os
from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any

import faust
import orjson
import structlog
import uvloop
from faust.types import TP

from schemas.settings import Settings
from schemas.topics import Topic
from sinks.logs import configure_logging
from streams.app import A_LITTLE_LATER, faust_settings
from streams.transport import EXIT_SOFTWARE

_log = structlog.get_logger(__name__)


LINGER_S = 0.005
"""So that what is made of a batch goes out in few requests: a fifth less processor time."""


class BatchTable(faust.Table[str, Any]):
    """A table whose changelog comes back in record batches, like all that the transport reads. Keys are texts."""

    def apply_changelog_batch(self, batch: Iterable[Any]) -> None:
        """Take what was read again."""
        events: Iterable[Any] = (
            SimpleNamespace(
                key=orjson.loads(record.key),
                value=None if record.value is None else orjson.loads(record.value),
                message=record,
            )
            for event in batch
            for record in event.message.value
        )
        super().apply_changelog_batch(events)


class ExitWhenRefused(faust.Sensor):
    """Ends the process at once when the brokers refuse a record. Faust would log that, and commit what lies behind."""

    def on_send_error(self, producer: Any, exc: BaseException, state: Any) -> None:  # noqa: ARG002 (as Faust calls it)
        """The record was not taken, for good."""
        _log.error("agent.failed", exc_info=exc)
        os._exit(EXIT_SOFTWARE)


class TableApp(faust.App):
    """A Faust app on our transport, with a consumer group of its own. Its tables stand on topics of ours."""

    fetch_wait = A_LITTLE_LATER

    def __init__(self, name: str, settings: Settings) -> None:
        super().__init__(
            settings.group_name(name), Table=BatchTable, producer_linger=LINGER_S, **faust_settings(settings)
        )
        self.settings = settings
        self.sensors.add(ExitWhenRefused())

    async def resume_offsets(self, _assignment: set[TP]) -> Mapping[TP, int]:
        """None: what the group has committed counts."""
        return {}

    def raw_topic(self, topic: Topic) -> Any:
        """The topic, its keys and values as bytes. An agent gets record batches of it."""
        name = self.settings.topic_name(topic)
        partitions = self.settings.topic_partitions
        return self.topic(name, partitions=partitions, key_serializer="raw", value_serializer="raw")

    def table_on(self, changelog: Topic) -> Any:
        """A table of JSON values by text, kept on this topic."""
        partitions = self.settings.topic_partitions
        return self.Table(changelog.name, partitions=partitions, changelog_topic=self.raw_topic(changelog))


def run(app: TableApp) -> None:
    """Run the app's agents until SIGTERM or SIGINT; ends the process. Its topics must be there: `hfts topics`."""
    configure_logging(debug=app.settings.debug)
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    worker = faust.Worker(app, loop=loop, redirect_stdouts=False, override_logging=False, quiet=True)
    worker.spinner = None  # it would write to standard output, which is no place for it
    worker.execute_from_commandline()
