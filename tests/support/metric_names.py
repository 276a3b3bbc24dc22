"""Which metrics there are, with their labels, and which of them a query of Prometheus names."""

import importlib
import re
import time
from collections.abc import Iterable
from importlib.util import find_spec

from prometheus_client.metrics import Histogram, MetricWrapperBase
from prometheus_client.registry import Collector

from ops.lag.looks import Look
from ops.lag.report import LagReport, PartitionLag
from ops.lag.waiting import Money, Waiting
from ops.monitor.lag_metrics import LagMetrics, Seen

DECLARED_IN = ("ingest_api.metrics", "sinks.metrics", "streams.metrics")

PARTITION = frozenset({"topic", "partition"})
_NONE: frozenset[str] = frozenset()

# Names and labels that the modules above do not declare: of other programs, and of what is collected on its own.
ELSEWHERE: dict[str, frozenset[str]] = {
    "up": _NONE,
    "node_filesystem_avail_bytes": frozenset({"fstype", "mountpoint", "device"}),
    "node_filesystem_size_bytes": frozenset({"fstype", "mountpoint", "device"}),
    "process_resident_memory_bytes": _NONE,
    "process_cpu_seconds_total": _NONE,
    "process_open_fds": _NONE,
    "process_start_time_seconds": _NONE,
    "hfts_workers": frozenset({"state"}),
    "hfts_reconcile_passed": _NONE,
    "hfts_reconcile_timestamp_seconds": _NONE,
    "hfts_transfers_applied_total": _NONE,
    "hfts_transfers_failed_total": frozenset({"reason"}),
    "hfts_dead_letters_total": frozenset({"cause"}),
    "hfts_batch_records": frozenset({"agent"}),
    "hfts_batch_seconds": frozenset({"agent", "step"}),
    "hfts_version_conflicts_total": _NONE,
    "hfts_commit_retries_total": _NONE,
    "hfts_end_to_end_seconds": _NONE,
    "hfts_rebalances_total": frozenset({"agent"}),
    "hfts_assigned_partitions": frozenset({"agent"}),
    "hfts_pool_connections": frozenset({"state"}),
    "hfts_deliveries_total": frozenset({"channel", "result"}),
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
    known = dict(ELSEWHERE)
    for module in DECLARED_IN:
        if find_spec(module) is not None:
            known |= _declared(vars(importlib.import_module(module)).values())
    partition = PartitionLag("g", "t", 0, begin=0, end=1, records_end=1, committed=0, applied=0)
    look = Look(LagReport([partition]), Waiting({}, Money({"USD": 1}, 1, 0, is_all=True)))
    return known | _collected(LagMetrics(lambda: Seen(look, time.time()), lambda: 0))


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


def _declared(values: Iterable[object]) -> dict[str, frozenset[str]]:
    found = {}
    for value in values:
        if isinstance(value, MetricWrapperBase):
            [family] = value.describe()
            name = f"{family.name}_total" if family.type == "counter" else family.name
            found[name] = frozenset(value._labelnames)
    return found


def _collected(collector: Collector) -> dict[str, frozenset[str]]:
    return {sample.name: frozenset(sample.labels) for family in collector.collect() for sample in family.samples}


def _base(name: str) -> str:
    """A histogram's own name for its parts."""
    for ending in _OF_HISTOGRAMS:
        base = name.removesuffix(ending)
        if base != name and base in _histograms():
            return base
    return name


def _histograms() -> set[str]:
    declared = {
        value._name
        for module in DECLARED_IN
        if find_spec(module) is not None
        for value in vars(importlib.import_module(module)).values()
        if isinstance(value, Histogram)
    }
    return declared | {"hfts_batch_records", "hfts_batch_seconds", "hfts_end_to_end_seconds"}
