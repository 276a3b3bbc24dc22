"""`docs/scaling.md`: the cost of a transfer as work grows, and where each resource ends, from a recorded run."""

from collections.abc import Sequence
from pathlib import Path

from bench.results import BenchRun, ratio
from bench.tables import Row, number

BEGIN = "<!-- scaling figures -->"
END = "<!-- /scaling figures -->"

DOCUMENT = Path(__file__).parents[1] / "docs" / "scaling.md"

UNIFORM = "drain-uniform-10k"

COLUMNS = ("what grows", "transfers/s", "÷ first row", "worker µs", "PostgreSQL µs", "Kafka µs", "WAL B", "disk B")

ROWS: Sequence[tuple[str, str]] = (
    ("one worker, 12 partitions, 10 thousand wallets", UNIFORM),
    ("2 workers", "drain-uniform-10k-2-workers"),
    ("4 workers", "drain-uniform-10k-4-workers"),
    ("1 partition", "drain-uniform-10k-1-partition"),
    ("48 partitions", "drain-uniform-10k-48-partitions"),
    ("1 million wallets", "drain-uniform-1m"),
    ("10 million wallets", "drain-uniform-10m"),
    ("with notifications, audit and deliveries", "drain-uniform-10k-downstream"),
)
"""What differs from the first of them, and the part that measures it."""

_FIGURES = ("worker_cpu_us", "postgres_cpu_us", "kafka_cpu_us", "wal_bytes", "disk_bytes")
_MISSING = "-"

_SECOND_US = 1_000_000
_CORES = (2, 4, 8)


def scaling_table(run: BenchRun) -> str:
    """Measured rows, those not measured included, and what follows from the first one for the model."""
    is_measured = any(run.rate(key) is not None for _, key in ROWS)
    measured = "Measured by `make bench-full`" if is_measured else "Not measured yet: `make bench-full` fills this in"
    sentence = (
        f"{measured}; each row differs from the first in one thing. Processor time, write-ahead log and disk are for "
        "each transfer; `-` was not measured."
    )
    return "\n".join([sentence, "", _markdown(COLUMNS, [_row(run, *row) for row in ROWS]), *_limits(run)])


def filled(document: str, table: str) -> str:
    """The document with this between its markers. Raises ValueError when it does not have both, in order."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the document must have the lines {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n\n{table.strip()}\n\n{END}{after}"


def write_scaling(run: BenchRun, path: Path = DOCUMENT) -> None:
    """Renew the figures. Raises ValueError and OSError."""
    path.write_text(filled(path.read_text(), scaling_table(run)))


def _row(run: BenchRun, grows: str, key: str) -> Row:
    rate = run.rate(key)
    figures = [run.figure(key, name) for name in _FIGURES]
    return (grows, *map(_shown, (rate, ratio(rate, run.rate(UNIFORM)), *figures)))


def _limits(run: BenchRun) -> list[str]:
    """Where each resource would end by itself, by the first row's cost of a transfer; nothing where that is missing."""
    worker, postgres, kafka, wal_bytes, _ = (run.figure(UNIFORM, name) for name in _FIGURES)
    if not (worker and postgres and kafka and wal_bytes):
        return []
    together_us = worker + postgres + kafka
    rows = [
        ("one worker, a core of its own: 1 / w", _rate(_SECOND_US / worker)),
        ("one backend, a core of its own: 1 / p", _rate(_SECOND_US / postgres)),
        *(
            (f"all on {cores} cores, never idle: {cores} / (w + p + k)", _rate(cores * _SECOND_US / together_us))
            for cores in _CORES
        ),
        ("write-ahead log at 50,000 transfers/s", f"{number(50_000 * wal_bytes / 1e6)} MB/s"),
    ]
    return ["What follows from the first row for the model below:", "", _markdown(("limit", "at"), rows)]


def _rate(per_s: float) -> str:
    return f"{number(float(f'{per_s:.3g}'))}/s"


def _shown(value: float | None) -> str:
    return _MISSING if value is None else number(value)


def _markdown(columns: Sequence[str], rows: Sequence[Row]) -> str:
    """The first column is words, all others are figures."""
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
