import pytest

from ops.load.schedule import Schedule, due_sends


def test_times_are_fixed_beforehand() -> None:
    schedule = Schedule(rate=4.0, count=10, start_s=100.0)
    assert [schedule.intended_s(index) for index in (0, 1, 4)] == [100.0, 100.25, 101.0]


@pytest.mark.parametrize(("now_s", "due"), [(99.0, 0), (100.0, 1), (100.2, 1), (100.25, 2), (101.0, 5), (200.0, 10)])
def test_what_is_due_follows_from_the_time_alone(now_s: float, due: int) -> None:
    assert Schedule(rate=4.0, count=10, start_s=100.0).due(now_s) == due


async def test_a_late_loop_sends_all_that_is_due_at_once_with_their_intended_times() -> None:
    times = iter([100.0, 100.0, 101.0, 101.0, 999.0])
    sends = [send async for send in due_sends(Schedule(rate=1000.0, count=4, start_s=100.0), lambda: next(times))]
    assert [index for index, _ in sends] == [0, 1, 2, 3]
    assert [round(intended_s, 3) for _, intended_s in sends] == [100.0, 100.001, 100.002, 100.003]
