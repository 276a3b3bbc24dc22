"""What the figures ought to come to, and whether they do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.results import BenchRun, ratio

UNIFORM = "drain-uniform-10k"
OURS = (UNIFORM, "drain-uniform-10k-2-workers", "drain-uniform-10k-4-workers")


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure and the bound it should keep: at least, or at most where ``is_most``."""

    title: str
    of: Callable[[BenchRun], float | None]
    bound: float
    unit: str = ""
    is_most: bool = False

    def is_met(self, figure: float) -> bool:
        """Whether the figure keeps the bound."""
        return figure <= self.bound if self.is_most else figure >= self.bound

    @property
    def bound_text(self) -> str:
        """As ``≥ 10`` or ``≤ 15 ms``."""
        return f"{'≤' if self.is_most else '≥'} {self.bound:,g}{self.unit and ' ' + self.unit}"


def best_of_ours(run: BenchRun) -> float | None:
    """The rate of the number of workers that got most done, as pgbench's is that of the best number of clients."""
    return max((rate for key in OURS if (rate := run.rate(key)) is not None), default=None)


def _rates(one: str, other: str) -> Callable[[BenchRun], float | None]:
    return lambda run: ratio(run.rate(one), run.rate(other))


def _best_to(other: str) -> Callable[[BenchRun], float | None]:
    return lambda run: ratio(best_of_ours(run), run.rate(other))


def _figure(key: str, name: str) -> Callable[[BenchRun], float | None]:
    return lambda run: run.figure(key, name)


def _growth(run: BenchRun) -> float | None:
    return ratio(run.figure("growth", "per_s_at_20m"), run.figure("growth", "per_s_at_0m"))


def _worker_mib(run: BenchRun) -> float | None:
    """Of ours: a peer has workers, too."""
    ours = (found for key, found in run.results.items() if key.startswith("drain-") or key == "growth")
    return max((found.further["worker_mib"] for found in ours if "worker_mib" in found.further), default=None)


GOALS: Sequence[Goal] = (
    Goal("Kafka → ledger ÷ best pgbench TPC-B", _best_to("pgbench-tpc-b"), 10),
    Goal("Kafka → ledger ÷ the classical design", _best_to("classical"), 150),
    Goal("Kafka → ledger ÷ the COPY limit", _best_to("copy-uniform-10k"), 0.5),
    Goal("hot destination in 20% ÷ uniform", _rates("drain-hot-20-destination", UNIFORM), 0.9),
    Goal("hot destination in 100% ÷ uniform", _rates("drain-hot-100-destination", UNIFORM), 0.7),
    Goal("hot source in 20% ÷ uniform", _rates("drain-hot-20-source", UNIFORM), 0.9),
    Goal("hot source in 100% ÷ uniform", _rates("drain-hot-100-source", UNIFORM), 0.7),
    Goal("10 million wallets ÷ 10 thousand", _rates("drain-uniform-10m", UNIFORM), 0.6),
    Goal("after 20 million transfers ÷ at the start", _growth, 0.8),
    Goal("latency at 1,000/s over HTTP, p50", _figure("latency-1000", "p50_ms"), 15, "ms", is_most=True),
    Goal("latency at 1,000/s over HTTP, p99", _figure("latency-1000", "p99_ms"), 60, "ms", is_most=True),
    Goal("HTTP one a request, accepted ÷ bare FastAPI", _rates("http-single-accepted", "bare-fastapi"), 0.6),
    Goal("NDJSON batches of 1,000, accepted", lambda run: run.rate("http-batch-accepted"), 25_000, "/s"),
    Goal("worker memory, the most of all runs", _worker_mib, 300, "MiB", is_most=True),
)
