"""The figures as pictures: SVG, the same bytes for the same figures."""

from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.results import BenchRun
from bench.tables import number

WIDTH_INCHES = 8.0
BAR_INCHES = 0.32
MARGIN_INCHES = 1.0

_OURS, _OTHERS = "#2a6f97", "#b8bdc2"
_SAME_WORKLOAD = ("-workers", "-downstream", "-partition", "-partitions")
"""How the keys of parts end that differ from the first in something else."""

_PERCENTILES = ("p50_ms", "p99_ms", "p999_ms")


def draw_all(run: BenchRun, folder: Path) -> list[str]:
    """Draw what there are figures for; the names of the files, in the order they should be seen."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    # Without the salt ids are random; as text, and not as paths, letters stay small and can be searched for.
    with mpl.rc_context(
        {
            "svg.hashsalt": "hfts",
            "svg.fonttype": "none",
            "font.size": 9,
            "axes.spines.top": False,
            "axes.spines.right": False,
        }
    ):
        for name, draw in _PLOTS.items():
            figure = draw(run)
            if figure is not None:
                (folder / f"{name}.svg").write_bytes(_svg(figure))
                drawn.append(f"{name}.svg")
    return drawn


def _svg(figure: Figure) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    # Lines that end in blanks would not pass a check of the repository.
    return b"\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + b"\n"


def _throughput(run: BenchRun) -> Figure | None:
    """All contenders that were measured on the uniform workload of 10 thousand wallets, or on one of their own."""
    rates = {
        result.contender: result.rate
        for result in run.results.values()
        if result.rate and result.workload.startswith("uniform, 10 thousand") and not result.key.startswith("latency-")
    }
    return _bars(rates, "transfers/s, 10 thousand wallets", is_log=True)


def _workloads(run: BenchRun) -> Figure | None:
    rates = {
        result.workload: result.rate
        for result in run.results.values()
        if result.rate and result.key.startswith("drain-") and not result.key.endswith(_SAME_WORKLOAD)
    }
    return _bars(rates, "transfers/s of one worker, by workload", is_log=False) if len(rates) > 1 else None


def _bars(rates: Mapping[str, float], title: str, *, is_log: bool) -> Figure | None:
    if not rates:
        return None
    names = sorted(rates, key=lambda name: rates[name])
    figure = Figure(figsize=(WIDTH_INCHES, MARGIN_INCHES + BAR_INCHES * len(names)), layout="constrained")
    axes = figure.add_subplot()
    colours = [_OURS if not is_log or name.startswith("ours") else _OTHERS for name in names]
    bars = axes.barh(names, [rates[name] for name in names], color=colours, log=is_log)
    axes.bar_label(bars, labels=[number(rates[name]) for name in names], padding=3)
    axes.margins(x=0.15)
    axes.set_title(title, loc="left")
    return figure


def _latency(run: BenchRun) -> Figure | None:
    found = [result for result in run.results.values() if result.key.startswith("latency-") and result.rate]
    if not found:
        return None
    figure, axes = _axes("latency over HTTP, ms: from when it should be sent to its outcome", "requests/s")
    found.sort(key=lambda result: result.rate or 0)
    for name in _PERCENTILES:
        points = [(result.rate or 0, result.further[name]) for result in found if name in result.further]
        label = name.removesuffix("_ms").replace("p999", "p99.9")
        axes.plot(*zip(*points, strict=True), marker="o", label=label)
    axes.set_yscale("log")
    axes.legend(frameon=False)
    return figure


def _growth(run: BenchRun) -> Figure | None:
    result = run.results.get("growth")
    further = result.further if result else {}
    prefix, suffix = "per_s_at_", "m"
    points = [
        (float(name.removeprefix(prefix).removesuffix(suffix)), rate)
        for name, rate in further.items()
        if name.startswith(prefix)
    ]
    if not points:
        return None
    figure, axes = _axes("transfers/s of one worker, as transfers pile up", "million transfers stored")
    axes.plot(*zip(*sorted(points), strict=True), marker="o", color=_OURS)
    axes.set_ylim(bottom=0)
    return figure


def _axes(title: str, label: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH_INCHES, WIDTH_INCHES / 2), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, loc="left")
    axes.set_xlabel(label)
    return figure, axes


_PLOTS: Mapping[str, Callable[[BenchRun], Figure | None]] = {
    "throughput": _throughput,
    "workloads": _workloads,
    "latency": _latency,
    "growth": _growth,
}
