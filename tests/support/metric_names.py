"""Which metrics there are, with their labels, and which of them a query of Prometheus names."""

import re
from functools import cache

from declared_metrics import API, BOTH, OUTSIDE, WORKERS, Row, rows_of

_NONE: frozenset[str] = frozenset()

# Names and labels of other programs, and of prometheus_client itself.
ELSEWHERE: dict[str, frozenset[str]] = {
    "up": _NONE,
    "node_filesystem_avail_bytes": frozenset({"fstype", "mountpoint", "device"}),
    "node_filesystem_size_bytes": frozenset({"fstype", "mountpoint", "device"}),
    "process_resident_memory_bytes": _NONE,
    "process_cpu_seconds_total": _NONE,
    "process_open_fds": _NONE,
    "process_start_time_seconds": _NONE,
}

OF_A_SCRAPE = frozenset({"job", "instance"})
"""Labels that every series has once it is scraped."""

_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_MATCHERS = re.compile(r"([a-zA-Z_:][\w:]*)\s*\{([^}]*)\}")
_WORD = re.compile(r"(?<![\w.])([a-zA-Z_:][\w:]*)\b(?!\s*\()")
_KEYWORDS = {"and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring", "inf", "nan"}
_OF_HISTOGRAMS = ("_bucket", "_sum", "_count")


def known_metrics() -> dict[str, frozenset[str]]:
    """Every metric by the name that a query gives it, a histogram by its own; each with its labels."""
    return ELSEWHERE | {row.name: frozenset(row.labels) for row in _rows()}


def metrics_in(query: str) -> set[str]:
    """The names of the metrics in a query; parts of a histogram by the histogram's name."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", _GROUPING.sub(" ", _TEXT.sub('""', query)))
    return {_base(word) for word in _WORD.findall(bare)} - _KEYWORDS


def unknown_in(query: str, known: dict[str, frozenset[str]]) -> list[str]:
    """What a query names that does not exist, a metric or a label of it."""
    named = metrics_in(query)
    faults = sorted(named - known.keys())
    labels = OF_A_SCRAPE.union({"le"}, *(known.get(name, _NONE) for name in named))
    bare = _TEXT.sub('""', query)
    for grouped in _GROUPING.findall(bare):
        faults += [f"label {label}" for label in re.findall(r"\w+", grouped) if label not in labels]
    for metric, matchers in _MATCHERS.findall(bare):
        has = OF_A_SCRAPE | {"le"} | known.get(_base(metric), _NONE)
        faults += [f"{metric}{{{label}}}" for label in re.findall(r"(\w+)\s*[=!]", matchers) if label not in has]
    return faults


@cache
def _rows() -> list[Row]:
    return rows_of([*API, *OUTSIDE, *WORKERS, *BOTH])


def _base(name: str) -> str:
    """A histogram's own name for its parts."""
    for ending in _OF_HISTOGRAMS:
        base = name.removesuffix(ending)
        if base != name and any(row.name == base and row.kind == "histogram" for row in _rows()):
            return base
    return name
