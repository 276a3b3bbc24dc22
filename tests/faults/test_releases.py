"""A release under load: two migrations before it, every process replaced one by one, one migration after it."""

from pathlib import Path

import pytest
from fault_runs import assert_exactly_once, run_faults


@pytest.mark.timeout(600)
def test_a_release_loses_and_doubles_nothing(tmp_path: Path) -> None:
    found = run_faults(
        tmp_path / "report.json",
        *("--release", "--seed", "5", "--brokers", "1", "--partitions", "4", "--rate-kafka", "40", "--rate-http", "20"),
    )
    assert_exactly_once(found)
    ends = {name: statuses for name, statuses in found["exits"].items() if statuses != {"0": 1}}
    assert ends == {"worker-1": {"0": 2}}, "all have ended in order, one of them twice"
