"""Short runs of the fault runner on the real servers: whatever is done to the pipeline, everything acknowledged is done
once and told once.
"""

from pathlib import Path

import pytest
from fault_runs import assert_exactly_once, run_faults

from schemas.crash_points import CrashPoint
from tests.faults.runner.deck import DELIVERER_POINTS


@pytest.mark.timeout(900)
def test_every_crash_point_and_then_a_bit_of_everything(tmp_path: Path) -> None:
    found = run_faults(
        tmp_path / "report.json",
        *("--seed", "10", "--brokers", "1", "--partitions", "4", "--rate-kafka", "80", "--rate-http", "15"),
        *("--crash-points", "--duration", "27s", "--pause", "3"),
        *("--faults", "kill worker,kill postgres,kill downstream,kill api,zombie worker,reset,one-way,lose commit"),
    )
    assert_exactly_once(found)
    assert all(found["crash_points"].values()), found["crash_points"]
    reached = {text.split()[1].split(":")[0] for text in found["crash_points"]}
    assert reached == set(CrashPoint) - set(DELIVERER_POINTS)
    assert found["verdict"]["completed"].keys() == {"transfer", "hold", "capture", "void", "reversal", "expiry"}
    assert sum(stall["struck"] for stall in found["faults"].values()) > 0


@pytest.mark.timeout(900)
def test_any_broker_of_three_may_die_and_then_another(tmp_path: Path) -> None:
    found = run_faults(
        tmp_path / "report.json",
        *("--seed", "3", "--brokers", "3", "--partitions", "3", "--rate-kafka", "50", "--rate-http", "10"),
        *("--duration", "32s", "--pause", "1", "--faults", "kill in turn"),
    )
    assert_exactly_once(found)
    assert found["faults"]["kill in turn brokers"]["struck"] == 1
    assert "__consumer_offsets" in found["replications"]
    assert "__transaction_state" in found["replications"]
    for topic, kept in found["replications"].items():
        assert (kept["replicas"], kept["min_insync"]) == (3, 2), topic
