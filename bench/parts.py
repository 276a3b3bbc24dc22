"""What a bench run consists of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module

from bench.contest import Contender, Measured, Place
from bench.ours.drain import drain, drain_with_downstream
from bench.ours.growth import growth
from bench.ours.http import http_batch_accepted, http_batch_committed, http_single_accepted, http_single_committed
from bench.ours.latency import latency
from bench.results import Result
from bench.workloads import Workload
from schemas.topics import PARTITIONS_DEFAULT

MILLION = 1_000_000

OURS, TPC_B = "drain-uniform-10k", "pgbench-tpc-b"
"""The two whose ratio the guard watches."""

Made = Callable[[Mapping[str, Result]], Contender]
"""Makes a contender from what has been measured before it."""


@dataclass(frozen=True, slots=True)
class Part:
    """One contender on one workload.

    ``key`` names it for ever, in the recorded figures and for ``--only``. In each round every part that has so many
    ``rounds`` gets its turn, in the order given. ``wallets``: it wants those of the workload, which are made once.
    """

    key: str
    made: Made
    workload: Workload
    workers: int = 1
    rounds: int = 1
    wallets: bool = True
    partitions: int = PARTITIONS_DEFAULT


def _part(
    key: str,
    contender: Contender,
    workload: Workload,
    *,
    workers: int = 1,
    rounds: int = 1,
    wallets: bool = True,
    partitions: int = PARTITIONS_DEFAULT,
) -> Part:
    return Part(key, lambda _results: contender, workload, workers, rounds, wallets, partitions)


def uniform(wallets: int, count: int) -> Workload:
    """Every wallet equally likely."""
    words = f"{wallets // MILLION} million" if wallets >= MILLION else f"{wallets // 1000} thousand"
    return Workload(f"uniform, {words} wallets", wallets, count)


def hot(share: float, side: str, count: int) -> Workload:
    """One wallet in a share of all transfers."""
    name = f"one wallet is the {side} of {share:.0%}"
    return Workload(name, 10_000, count, hot_share=share, hot_side=side)


def quick() -> list[Part]:
    """About ten minutes: the headline figures twice in turns, the others once."""
    base = uniform(10_000, 100_000)
    return [
        _part(OURS, drain, base, rounds=2),
        _part(TPC_B, _peer("peers.pgbench", "tpc_b"), base, rounds=2, wallets=False),
        _part("copy-uniform-10k", _peer("limits.copy", "copy"), base, rounds=2),
        _part("drain-uniform-10k-2-workers", drain, base, workers=2),
        _part("pgbench-transfer", _peer("peers.pgbench", "single_transfer"), base),
        _part("classical", _peer("peers.classical.contender", "classical"), uniform(10_000, 2_000)),
        _part("stock-faust", _peer("peers.stock_faust", "stock_faust"), uniform(10_000, 30_000)),
        _part("getmany", _peer("limits.getmany", "getmany"), base),
        _part("drain-uniform-1m", drain, uniform(MILLION, 100_000)),
        _part("drain-hot-20-destination", drain, hot(0.2, "destination", 100_000)),
        _part("drain-hot-100-destination", drain, hot(1.0, "destination", 100_000)),
        *_over_http(20_000, 200_000),
        _part("latency-1000", latency(1_000), uniform(10_000, 20_000)),
    ]


def full() -> list[Part]:
    """Everything: about an hour."""
    base = uniform(10_000, 300_000)
    return [
        _part(OURS, drain, base, rounds=2),
        _part(TPC_B, _peer("peers.pgbench", "tpc_b", run_s=10), base, rounds=2, wallets=False),
        _part("copy-uniform-10k", _peer("limits.copy", "copy"), base, rounds=2),
        _part("classical", _peer("peers.classical.contender", "classical"), uniform(10_000, 5_000), rounds=2),
        _part("drain-uniform-10k-2-workers", drain, base, workers=2, rounds=2),
        _part("drain-uniform-10k-4-workers", drain, base, workers=4, rounds=2),
        _part("drain-uniform-10k-1-partition", drain, base, partitions=1),
        _part("drain-uniform-10k-48-partitions", drain, base, partitions=48),
        _part("drain-uniform-10k-downstream", drain_with_downstream, base),
        _part("pgbench-transfer", _peer("peers.pgbench", "single_transfer", run_s=10), base),
        _part("stock-faust", _peer("peers.stock_faust", "stock_faust"), uniform(10_000, 50_000)),
        _part("getmany", _peer("limits.getmany", "getmany"), base),
        _part("drain-uniform-1m", drain, uniform(MILLION, 300_000)),
        _part("copy-uniform-1m", _peer("limits.copy", "copy"), uniform(MILLION, 300_000)),
        _part("drain-uniform-10m", drain, uniform(10 * MILLION, 300_000)),
        _part("copy-uniform-10m", _peer("limits.copy", "copy"), uniform(10 * MILLION, 300_000)),
        _part("drain-zipf", drain, Workload("Zipf 1.0, 10 thousand wallets", 10_000, 300_000, zipf=1.0)),
        *(
            _part(f"drain-hot-{share:.0%}-{side}".replace("%", ""), drain, hot(share, side, 300_000))
            for share in (0.2, 1.0)
            for side in ("destination", "source")
        ),
        _part("drain-failing", drain, Workload("5% fail", 10_000, 300_000, failing_share=0.05)),
        *_over_http(20_000, 400_000),
        _part("latency-1000", latency(1_000, 30.0), uniform(10_000, 30_000)),
        *(
            Part(f"latency-{share:.0%}".replace("%", ""), _latency_at(share), uniform(10_000, 30_000))
            for share in (0.1, 0.5, 0.8)
        ),
        _part("growth", growth(), uniform(100_000, 200_000)),
    ]


def guard() -> list[Part]:
    """Ours and pgbench, twice in turns, and little of each: under two minutes."""
    base = uniform(10_000, 30_000)
    tpc_b = _peer("peers.pgbench", "tpc_b", run_s=3, clients=(16,))
    return [_part(OURS, drain, base, rounds=2), _part(TPC_B, tpc_b, base, rounds=2, wallets=False)]


def _over_http(singles: int, batched: int, rounds: int = 1) -> list[Part]:
    single, batch = uniform(10_000, singles), uniform(10_000, batched)
    return [
        _part("http-single-accepted", http_single_accepted, single, rounds=rounds),
        _part("bare-fastapi", _peer("limits.bare_fastapi", "bare_fastapi"), single, rounds=rounds),
        _part("http-single-committed", http_single_committed, single, rounds=rounds),
        _part("http-batch-accepted", http_batch_accepted, batch, rounds=rounds),
        _part("http-batch-committed", http_batch_committed, batch, rounds=rounds),
    ]


def _latency_at(share: float) -> Made:
    def made(results: Mapping[str, Result]) -> Contender:
        top = results.get("http-single-committed")
        if top is None or top.rate is None:
            raise RuntimeError("the top rate over HTTP is not known: http-single-committed did not run")
        return latency(share * top.rate)

    return made


def _peer(module: str, name: str, **options: object) -> Contender:
    """Found when its turn comes: a peer whose packages are missing is one row that says so."""

    async def run(place: Place, workload: Workload) -> Measured:
        contender = getattr(import_module(f"bench.{module}"), name)
        measured: Measured = await contender(place, workload, **options)
        return measured

    return run


def chosen(parts: Sequence[Part], words: Sequence[str]) -> list[Part]:
    """Those whose key has one of the words in it; all where there are none."""
    return [part for part in parts if not words or any(word in part.key for word in words)]
