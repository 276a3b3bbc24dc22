from ops.embedded.backoff import DELAY_S_MAX, STEADY_AFTER_S, Backoff


def test_delays_double_up_to_a_bound() -> None:
    backoff = Backoff()
    delays = [backoff.delay_s(ran_s=0.1) for _ in range(20)]
    assert delays[:5] == [0.2, 0.4, 0.8, 1.6, 3.2]
    assert set(delays[5:]) == {DELAY_S_MAX}


def test_a_long_run_starts_the_delays_again() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.delay_s(ran_s=0.1)
    assert backoff.delay_s(ran_s=STEADY_AFTER_S) == 0.2
    assert backoff.delay_s(ran_s=0.1) == 0.4
