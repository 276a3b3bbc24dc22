"""Ending a process on purpose, and reading where."""

import pytest

from schemas.crash_points import Crash, CrashPoint, parse_crash
from sinks.crash import arm, reach


@pytest.mark.parametrize(
    ("text", "crash"),
    [
        ("", None),
        ("after_commit", Crash(CrashPoint.AFTER_COMMIT, 1, stops=False)),
        ("before_publish:3", Crash(CrashPoint.BEFORE_PUBLISH, 3, stops=False)),
        ("after_ack:2:stop", Crash(CrashPoint.AFTER_ACK, 2, stops=True)),
    ],
)
def test_a_crash_is_read(text: str, crash: Crash | None) -> None:
    assert parse_crash(text) == crash


@pytest.mark.parametrize("text", ["nowhere", "after_commit:0", "after_commit:x", "after_commit:1:pause", ":1"])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"crash point|CrashPoint"):
        parse_crash(text)


def test_the_point_acts_once_when_it_is_passed_the_given_time() -> None:
    passes: list[int] = []
    acted: list[int] = []
    arm(Crash(CrashPoint.AFTER_COMMIT, 2, stops=False), lambda: acted.append(len(passes)))
    for number in range(1, 5):
        passes.append(number)
        reach(CrashPoint.AFTER_DECODE)
        reach(CrashPoint.AFTER_COMMIT)
    arm(None)
    reach(CrashPoint.AFTER_COMMIT)
    assert acted == [2]
