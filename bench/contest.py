"""What every contender is given, and what it answers: the same work, counted in the database."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.workloads import Workload
from schemas.settings import Settings


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run takes place: an empty, migrated database and a topic prefix of its own, on the one server."""

    settings: Settings
    partitions: int
    workers: int = 1
    postgres_pid: int | None = None
    """The server's first process: what it and its children use of the processor is part of the figures."""
    kafka_pid: int | None = None
    logs: Path | None = None
    """A folder for the output of a contender's processes; None: none is kept."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run came to: the rows counted in the database, and the seconds from the first of them to the last.

    ``further`` are other figures of the run, by a name that ends in the unit, as ``worker_mib``.
    """

    contender: str
    workload: str
    transfers: int
    seconds: float
    further: Mapping[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Transfers a second."""
        return self.transfers / self.seconds


Contender = Callable[[Place, Workload], Awaitable[Measured]]
"""Sets its part up, does the work, takes everything down again. Raises RuntimeError when its figures do not agree."""
