"""What pgbench is given."""

from pathlib import Path

import pytest

from bench.peers import pgbench
from bench.peers.pgbench import draws
from bench.workloads import Workload


def test_a_uniform_workload_draws_two_different_wallets() -> None:
    assert draws(Workload("uniform", wallets=10, count=1)).splitlines() == [
        r"\set source random(0, 9)",
        r"\set destination random(0, 9)",
        r"\set amount 1.0000",
        r"\if :source = :destination",
        r"\set source (:destination + 1) % 10",
        r"\endif",
    ]


def test_a_hot_source_stays_the_source_where_both_are_the_same() -> None:
    script = draws(Workload("hot", wallets=10, count=1, hot_share=0.25, hot_side="source"))
    assert "\\if random(1, 1000000) <= 250000\n\\set source 0\n\\endif" in script
    assert r"\set destination (:source + 1) % 10" in script


def test_failures_and_a_zipf_distribution_are_drawn() -> None:
    script = draws(Workload("zipf", wallets=10, count=1, zipf=1.0, failing_share=0.05))
    assert r"\set source random_zipfian(1, 10, 1.001) - 1" in script
    assert "\\if random(1, 1000000) <= 50000\n\\set amount 90000000000.0000\n\\endif" in script


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(pgbench, "find_spec", lambda _: None)
    with pytest.raises(RuntimeError, match=r"^pgbench is missing: install "):
        pgbench.pgbench_program()
