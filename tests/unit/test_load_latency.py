import pytest

from ops.load.latency import Latencies, name_of


def latencies(*values: float) -> Latencies:
    found = Latencies()
    for value in values:
        found.add(value)
    return found


def test_a_percentile_is_the_smallest_that_the_share_does_not_exceed() -> None:
    found = latencies(*(float(number) for number in range(1000, 0, -1)))
    assert found.percentiles_s() == {"p50": 500.0, "p90": 900.0, "p99": 990.0, "p99.9": 999.0}
    assert found.max_s == 1000.0


def test_of_one_latency_every_percentile_is_it() -> None:
    assert set(latencies(0.25).percentiles_s().values()) == {0.25}


def test_of_none_there_is_no_percentile() -> None:
    assert set(latencies().percentiles_s().values()) == {None}
    assert latencies().max_s is None


@pytest.mark.parametrize(("quantile", "name"), [(0.5, "p50"), (0.99, "p99"), (0.999, "p99.9"), (0.9999, "p99.99")])
def test_names(quantile: float, name: str) -> None:
    assert name_of(quantile) == name
