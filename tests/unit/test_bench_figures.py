"""What the benchmark makes of its figures: medians, ratios, goals, tables, the document, pictures and the guard."""

from pathlib import Path

import pytest

from bench.contest import Measured
from bench.document import BEGIN, DOCUMENT, END, replaced, write_document
from bench.goals import GOALS
from bench.guard import recorded_ratio, verdict
from bench.parts import OURS, TPC_B
from bench.plots import draw_all
from bench.results import BenchRun, Result, read_runs, summary, write_runs
from bench.tables import COLUMNS, goal_rows, headline, markdown, number, rows_of, terminal_tables


def result(key: str, *rates: float, workload: str = "uniform, 10 thousand wallets", **further: float) -> Result:
    return Result(key, key, workload, 1_000, rates, further)


def bench_run(*results: Result) -> BenchRun:
    return BenchRun({"Python": "3.11"}, {one.key: one for one in results})


RUN = bench_run(
    result(OURS, 30_000.0, 40_000.0, 50_000.0, worker_mib=150.0, worker_cpu_us=12.34),
    result(TPC_B, 4_000.0),
    result("classical", 200.0),
    result("drain-hot-20-destination", 30_000.0, workload="one wallet is the destination of 20%"),
    result("latency-1000", 1_000.0, p50_ms=9.0, p99_ms=70.0, p999_ms=90.0),
    result("growth", 30_000.0, per_s_at_0m=40_000.0, per_s_at_20m=30_000.0, per_s_at_1m=39_000.0),
    Result("getmany", "getmany", "uniform", problem="RuntimeError: a | b"),
)


def test_a_figure_is_the_median_of_its_runs() -> None:
    runs = [Measured("ours", "uniform", 100, seconds, {"mib": mib}) for seconds, mib in ((1, 5), (2, 3), (4, 4))]
    found = summary("drain", "uniform", runs, [])
    assert (found.rate, found.further, found.transfers, found.problem) == (50, {"mib": 4}, 100, None)


def test_a_part_that_could_not_be_run_says_so_once() -> None:
    found = summary("drain", "uniform", [], ["it is gone", "it is gone"])
    assert (found.rate, found.problem) == (None, "it is gone")
    row = rows_of(bench_run(found))[0]
    assert row[-1] == "not run: it is gone"
    assert (
        "not all run: it is gone"
        in rows_of(bench_run(summary("d", "u", [Measured("o", "u", 1, 1)], ["it is gone"])))[0][-1]
    )


def test_ratios_stand_beside_the_rates() -> None:
    rows = {row[0]: row for row in rows_of(RUN)}
    assert rows[OURS][3:7] == ("40,000", "10", "200", "")
    assert rows[OURS][-1] == "3 runs: 30,000 to 50,000, worker mib 150, worker cpu µs 12.3"
    assert rows["latency-1000"][4:7] == ("", "", "")
    assert rows["latency-1000"][-1].endswith("p99.9 ms 90")


def test_goals_are_met_missed_or_not_measured() -> None:
    rows = {row[0]: row[1:] for row in goal_rows(RUN)}
    assert rows["Kafka → ledger ÷ best pgbench TPC-B"] == ("10", "≥ 10", "yes")
    assert rows["hot destination in 20% ÷ uniform"] == ("0.75", "≥ 0.9", "no")
    assert rows["10 million wallets ÷ 10 thousand"] == ("not measured", "≥ 0.6", "")
    assert rows["after 20 million transfers ÷ at the start"] == ("0.75", "≥ 0.8", "no")
    assert rows["latency at 1,000/s over HTTP, p50"] == ("9 ms", "≤ 15 ms", "yes")
    assert rows["latency at 1,000/s over HTTP, p99"] == ("70 ms", "≤ 60 ms", "no")
    assert rows["worker memory, the most of all runs"] == ("150 MiB", "≤ 300 MiB", "yes")
    assert len(rows) == len(GOALS)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.01234, "0.0123"),
        (0.5, "0.50"),
        (1.236, "1.24"),
        (12.34, "12.3"),
        (123.4, "123"),
        (1234.5, "1,234"),
        (3.0, "3"),
    ],
)
def test_numbers_have_three_digits_or_more(value: float, text: str) -> None:
    assert number(value) == text


def test_tables_have_a_row_a_part() -> None:
    text = markdown(COLUMNS, rows_of(RUN))
    assert text.count("\n") == len(RUN.results) + 2
    assert all(line.startswith("| ") and line.endswith(" |") for line in text.splitlines())
    assert r"a \| b" in text
    figures, goals = terminal_tables(RUN)
    assert (figures.row_count, goals.row_count) == (len(RUN.results), 7)
    assert headline(RUN).startswith("40,000 transfers/s")
    assert len(terminal_tables(bench_run())) == 1
    assert headline(bench_run()) == ""


def test_only_what_lies_between_the_markers_is_written_anew() -> None:
    document = f"# Before\n\n{BEGIN}\nold\n{END}\n\nAfter\n"
    once = replaced(document, "new\n")
    assert once == f"# Before\n\n{BEGIN}\n\nnew\n\n{END}\n\nAfter\n"
    assert replaced(once, "new\n") == once
    for broken in ("", f"{END}{BEGIN}", BEGIN):
        with pytest.raises(ValueError, match="must have the lines"):
            replaced(broken, "new")


def test_the_document_in_the_repository_can_be_written_anew(tmp_path: Path) -> None:
    copy = tmp_path / "benchmarks.md"
    copy.write_text(DOCUMENT.read_text())
    write_document({"quick": RUN}, ["throughput.svg"], copy)
    text = copy.read_text()
    assert "![throughput](plots/throughput.svg)" in text
    assert "## What each change gave" in text
    assert "`make bench`" in text


def test_the_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.json"
    assert read_runs(path) == {}
    write_runs(path, {"quick": RUN})
    found = read_runs(path)["quick"]
    assert found.rate(OURS) == 40_000
    assert found.figure(OURS, "worker_cpu_us") == 12.34
    assert found.results["getmany"].problem == "RuntimeError: a | b"


def test_pictures_are_the_same_bytes_for_the_same_figures(tmp_path: Path) -> None:
    names = draw_all(RUN, tmp_path / "a")
    assert names == draw_all(RUN, tmp_path / "b") == ["throughput.svg", "workloads.svg", "latency.svg", "growth.svg"]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert draw_all(bench_run(), tmp_path / "c") == []


def test_a_picture_compares_what_can_be_compared(tmp_path: Path) -> None:
    zipf = result("drain-zipf", 36_000.0, workload="Zipf 1.0, 10 thousand wallets")
    draw_all(bench_run(*RUN.results.values(), zipf, result(f"{OURS}-48-partitions", 25_000.0)), tmp_path)
    contenders, workloads = ((tmp_path / f"{name}.svg").read_text() for name in ("throughput", "workloads"))
    assert ("40,000" in contenders, "25,000" in contenders, "36,000" in contenders) == (True, True, False)
    assert ("40,000" in workloads, "25,000" in workloads, "36,000" in workloads) == (True, False, True)


def guarded(ours: float, pgbench: float) -> BenchRun:
    return bench_run(result(OURS, ours), result(TPC_B, pgbench))


def test_the_guard_is_loud_only_below_half_of_the_recorded_ratio() -> None:
    recorded = recorded_ratio({"quick": guarded(40_000, 4_000)})
    assert recorded == 10
    assert verdict(guarded(4_900, 1_000), recorded).fell
    assert not verdict(guarded(5_000, 1_000), recorded).fell


def test_the_guard_goes_by_the_long_run_where_there_is_one() -> None:
    runs = {"quick": guarded(10, 1), "full": guarded(20, 1)}
    assert recorded_ratio(runs) == 20
    assert recorded_ratio({**runs, "full": bench_run()}) == 10


def test_the_guard_says_when_it_knows_nothing() -> None:
    assert verdict(guarded(10, 1), None).text.startswith("10 times pgbench's TPC-B; nothing is recorded")
    broken = bench_run(Result(OURS, OURS, "uniform", problem="RuntimeError: no broker"), result(TPC_B, 1))
    assert verdict(broken, 10) == verdict(broken, None)
    assert verdict(broken, 10).ratio is None
    assert verdict(broken, 10).text == f"no verdict: {OURS}: RuntimeError: no broker"
