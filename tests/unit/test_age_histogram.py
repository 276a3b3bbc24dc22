"""The histogram of how long records have waited."""

from prometheus_client import CollectorRegistry, generate_latest

from streams.age_histogram import AgeHistogram


def told(registry: CollectorRegistry) -> dict[str, float]:
    lines = [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.split(" ") for line in lines)}


def test_ages_are_counted_into_buckets() -> None:
    registry = CollectorRegistry()
    ages = AgeHistogram("h", "H.", (0.1, 1.0), registry)
    assert told(registry) == {
        'h_bucket{le="0.1"}': 0,
        'h_bucket{le="1.0"}': 0,
        'h_bucket{le="+Inf"}': 0,
        "h_count": 0,
        "h_sum": 0,
    }
    ages.observe([9_901, 9_900, 9_899, 9_000, 1_000], 10_000)
    ages.observe([], 11_000)
    ages.observe([10_900], 11_000)
    assert told(registry) == {
        'h_bucket{le="0.1"}': 3,
        'h_bucket{le="1.0"}': 5,
        'h_bucket{le="+Inf"}': 6,
        "h_count": 6,
        "h_sum": 10.4,
    }


def test_what_has_no_timestamp_is_left_out() -> None:
    registry = CollectorRegistry()
    AgeHistogram("h", "H.", (0.1,), registry).observe([-1, 9_000, -1], 10_000)
    assert (told(registry)["h_count"], told(registry)["h_sum"]) == (1, 1.0)


def test_a_clock_that_is_ahead_of_ours_makes_no_age_below_zero() -> None:
    registry = CollectorRegistry()
    AgeHistogram("h", "H.", (0.1,), registry).observe([20_000], 10_000)
    assert told(registry) == {'h_bucket{le="0.1"}': 1, 'h_bucket{le="+Inf"}': 1, "h_count": 1, "h_sum": 0}
