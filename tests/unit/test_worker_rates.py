"""What workers do a second, from the counts that they write."""

from datetime import UTC, datetime, timedelta

from ops.monitor.worker_watch import SILENT_S, Worker, rates_of

START = datetime(2026, 1, 2, tzinfo=UTC)


def worker(seen_s: float, applied: int, unseen_s: float = 1.0) -> Worker:
    return Worker(
        worker_id="w",
        agents=["transfers"],
        host="h",
        pid=7,
        version="0.1.0",
        started_at=START,
        seen_at=START + timedelta(seconds=seen_s),
        unseen_s=unseen_s,
        memory_bytes=1,
        assigned={"transfers": [0]},
        figures={"applied": applied},
    )


def test_a_rate_is_the_growth_between_two_words_of_a_worker() -> None:
    assert rates_of(worker(10, 100), worker(15, 600), {}) == {"applied": 100.0}


def test_until_it_says_something_new_the_last_rate_holds() -> None:
    assert rates_of(worker(10, 100), worker(10, 100), {"applied": 5.0}) == {"applied": 5.0}


def test_of_a_new_or_a_silent_worker_there_is_none() -> None:
    assert rates_of(None, worker(10, 100), {}) == {}
    silent = worker(10, 100, SILENT_S)
    assert not silent.is_live
    assert rates_of(worker(5, 1), silent, {"applied": 5.0}) == {}


def test_a_count_that_was_not_there_before_is_no_leap() -> None:
    before = worker(10, 100)
    del before.figures["applied"]
    assert rates_of(before, worker(15, 600), {}) == {"applied": 0.0}
