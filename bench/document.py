"""`docs/benchmarks.md`: what lies between two markers is written anew, all else is left as it is."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.results import BenchRun
from bench.tables import COLUMNS, GOAL_COLUMNS, goal_rows, headline, markdown, rows_of

BEGIN = "<!-- figures: written by `python -m bench`, from here -->"
END = "<!-- figures: to here -->"

DOCS = Path(__file__).parents[1] / "docs"
DOCUMENT = DOCS / "benchmarks.md"
RECORD = DOCS / "benchmarks.json"
PLOTS = DOCS / "plots"

_TITLES = {"quick": "`make bench`", "full": "`make bench-full`"}

_METHOD = """\
One Kafka broker and one PostgreSQL for all, started for the run in the configuration of `hfts up`. Each run of a
contender has a database and topics of its own, and a checkpoint before it. Contenders take turns; a figure is the
median of its runs. Transfers are counted as rows in the database. Ours are timed from the first commit to the last
outcome on its topic; the topic is filled beforehand, the workers are held still meanwhile, and know no wallet yet.
After each run of ours `hfts reconcile` goes over everything: a run that it faults, or whose count is not what was
asked for, has no figure. Processor time is that of processes and all their children, in µs for each transfer.
"""


def figures_text(runs: Mapping[str, BenchRun], plots: Sequence[str]) -> str:
    """What stands between the markers."""
    parts = [_METHOD, *(f"![{name.removesuffix('.svg')}](plots/{name})\n" for name in plots)]
    for kind, run in runs.items():
        parts += [
            f"### {_TITLES.get(kind, kind)}\n",
            *([headline(run) + "\n"] if headline(run) else []),
            markdown(GOAL_COLUMNS, goal_rows(run)),
            markdown(COLUMNS, rows_of(run)),
            markdown(("measured on", ""), list(run.machine.items())),
        ]
    return "\n".join(parts)


def replaced(document: str, figures: str) -> str:
    """The document with these figures between its markers. Raises ValueError when it does not have both, in order."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the document must have the lines {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n\n{figures.strip()}\n\n{END}{after}"


def write_document(runs: Mapping[str, BenchRun], plots: Sequence[str], path: Path = DOCUMENT) -> None:
    """Renew the figures. Raises ValueError and OSError."""
    path.write_text(replaced(path.read_text(), figures_text(runs, plots)))
