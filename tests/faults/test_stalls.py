"""Standstills are attributed to the fault before them."""

from tests.faults.runner.stalls import Made, Stall, Times, longest_stalls, worst


def test_a_standstill_belongs_to_the_fault_before_it() -> None:
    made = [Made(10.0, "kill"), Made(50.0, "zombie", struck=False)]
    outcomes = {0: [1.0, 9.8, 16.0, 49.0, 53.0], 1: [1.0, 9.9, 14.0, 49.5, 52.0]}
    stalls = longest_stalls(made, Times(outcomes, transfers=[(10.5, 16.0), (51.0, 52.5)], answers=[(2.0, 2.5)]))
    assert stalls["kill"].made == stalls["kill"].struck == 1
    assert (stalls["zombie"].made, stalls["zombie"].struck) == (1, 0)
    assert stalls["kill"].transfer_s == 5.5
    assert stalls["zombie"].transfer_s == 1.5
    assert stalls["(none)"].answer_s == 0.5
    assert round(stalls["(none)"].partition_s, 3) == 8.9


def test_a_standstill_that_begins_just_before_its_fault_is_still_its_own() -> None:
    stalls = longest_stalls([Made(10.0, "kill")], Times({0: [9.7, 15.7]}))
    assert stalls["kill"].pipeline_s == stalls["kill"].partition_s == 6.0


def test_faults_that_begin_together_share_what_follows() -> None:
    stalls = longest_stalls([Made(10.0, "kill"), Made(10.1, "reset")], Times({0: [10.2, 13.2]}))
    assert stalls["kill"].pipeline_s == stalls["reset"].pipeline_s == 3.0


def test_another_partition_may_go_on_meanwhile() -> None:
    stalls = longest_stalls([Made(10.0, "kill")], Times({0: [10.0, 20.0], 1: [10.0, 14.0, 20.0]}))
    assert (stalls["kill"].pipeline_s, stalls["kill"].partition_s) == (6.0, 10.0)


def test_the_worst_of_all() -> None:
    total = worst([Stall(1, 1, 5.0, 6.0, 7.0, 8.0), Stall(2, 0, 9.0, 1.0, 1.0, 1.0)])
    assert total == Stall(3, 1, 9.0, 6.0, 7.0, 8.0)
