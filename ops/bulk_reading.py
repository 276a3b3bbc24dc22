"""Runs what does nothing but read topics from end to end."""

import gc
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

from sinks.kafka.reading import patch_bulk_reading
from sinks.memory import BATCH_OBJECTS, collect_rarely, keep_freed_memory

Answer = TypeVar("Answer")


def run_bulk_reading(reading: Coroutine[Any, Any, Answer]) -> Answer:
    """The coroutine's result. For processes with nothing else to do: what it sets for speed holds for all of it.

    Records hold offset, key, value and headers only, and freed memory is kept, without which reading takes twice as
    long.
    """
    patch_bulk_reading()
    keep_freed_memory()
    collect_rarely(BATCH_OBJECTS)
    try:
        return uvloop.run(reading)
    finally:
        gc.unfreeze()  # what modules hold is let go of at the end, and DuckDB tells the user if it is not
