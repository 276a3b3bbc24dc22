"""The bounded memory of looks at the lag."""

from dashboard_looks import seen

from ops.dashboard.history import CELLS_MAX, NO_RATES, POINTS_MAX, SPAN_S, History

BEYOND_2_53 = 2**53 + 1


def filled(looks: int, every_s: float = 2.0) -> History:
    history = History()
    for number in range(looks):
        history.add(seen(1000 + number * every_s, {"g": [(100 * number, 90 * number), (0, 0)]}))
    return history


def test_it_keeps_a_quarter_of_an_hour_and_no_more() -> None:
    history = filled(2 * POINTS_MAX)
    assert len(history.points) <= POINTS_MAX
    assert history.points[-1].at_s - history.points[0].at_s <= SPAN_S
    assert len(history.partition("g", 1)) <= POINTS_MAX + 1


def test_a_slow_look_shortens_the_list_not_the_time() -> None:
    history = filled(400, every_s=30.0)
    assert history.points[-1].at_s - history.points[0].at_s == SPAN_S


def test_rates_are_taken_over_ten_seconds() -> None:
    history = filled(20)
    rates = history.rates("g")
    assert (rates.per_s_in, rates.per_s_out) == (50.0, 45.0)
    assert history.rates("g", 0) == NO_RATES
    assert history.rates("other") == NO_RATES
    assert History().rates("g") == NO_RATES


def test_of_a_group_that_was_set_back_no_rate_is_told() -> None:
    history = filled(20)
    history.add(seen(1040, {"g": [(5000, 10), (0, 0)]}))
    assert history.rates("g").per_s_in is not None
    assert history.rates("g").per_s_out is None


def test_no_digit_is_lost() -> None:
    history = History()
    history.add(seen(1000, {"g": [(BEYOND_2_53 + 5, BEYOND_2_53)]}, {"g": 1.26}))
    assert history.partition("g", 0) == [(1000, 5, BEYOND_2_53)]
    assert history.as_json() == {
        "at": [1_000_000],
        "groups": {"g": {"lag": "5", "oldest_s": [1.3], "per_s_in": [None], "per_s_out": [None]}},
    }


def test_a_group_that_comes_later_has_no_history_before_it() -> None:
    history = filled(2)
    history.add(seen(1010, {"g": [(9, 9)], "h": [(7, 4)]}))
    groups = history.as_json()["groups"]
    assert isinstance(groups, dict)
    assert groups["h"]["lag"] == "- - 3"
    assert history.partition("h", 0) == [(1010, 3, 4)]
    assert history.partition("h", 1) == []


def test_thousands_of_partitions_have_fewer_points() -> None:
    count = CELLS_MAX // 10
    history = History()
    for number in range(20):
        history.add(seen(1000 + 2 * number, {"g": [(number, 0)] * count}))
    assert len(history.points) == 20
    points = history.partition("g", count - 1)
    assert [at_s for at_s, _, _ in points] == [1000]


def test_a_clock_that_was_set_back_begins_anew() -> None:
    history = filled(10)
    history.add(seen(10, {"g": [(1, 0), (0, 0)]}))
    assert [point.at_s for point in history.points] == [10]
    assert history.partition("g", 0) == [(10, 1, 0)]
