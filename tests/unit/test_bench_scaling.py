"""The table of `docs/scaling.md` that is made from recorded figures."""

from pathlib import Path

import pytest

from bench.parts import full
from bench.results import BenchRun, Result
from bench.scaling import BEGIN, DOCUMENT, END, ROWS, UNIFORM, filled, scaling_table, write_scaling

COSTS = {
    "worker_cpu_us": 20.0,
    "postgres_cpu_us": 10.0,
    "kafka_cpu_us": 10.0,
    "wal_bytes": 600.0,
    "disk_bytes": 230.0,
}


def bench_run(**rates: float) -> BenchRun:
    keys = {key.replace("_", "-"): rate for key, rate in rates.items()}
    return BenchRun({}, {key: Result(key, key, "uniform", 1_000, [rate], COSTS) for key, rate in keys.items()})


RUN = bench_run(drain_uniform_10k=40_000.0, drain_uniform_1m=30_000.0)


def test_each_row_stands_beside_the_first() -> None:
    lines = scaling_table(RUN).splitlines()
    assert "| one worker, 12 partitions, 10 thousand wallets | 40,000 | 1 | 20 | 10 | 10 | 600 | 230 |" in lines
    assert "| 1 million wallets | 30,000 | 0.75 | 20 | 10 | 10 | 600 | 230 |" in lines


def test_what_was_not_measured_keeps_its_row() -> None:
    text = scaling_table(bench_run())
    assert text.startswith("Not measured yet")
    assert "| 4 workers | - | - | - | - | - | - | - |" in text
    assert all(f"| {grows} |" in text for grows, _ in ROWS)
    assert "limit" not in text


def test_the_limits_follow_from_the_first_row() -> None:
    text = scaling_table(RUN)
    assert "| one worker, a core of its own: 1 / w | 50,000/s |" in text
    assert "| one backend, a core of its own: 1 / p | 100,000/s |" in text
    assert "| all on 4 cores, never idle: 4 / (w + p + k) | 100,000/s |" in text
    assert "| write-ahead log at 50,000 transfers/s | 30 MB/s |" in text


def test_every_row_is_measured_by_a_part_of_the_full_run() -> None:
    keys = {part.key for part in full()}
    assert {key for _, key in ROWS} <= keys
    assert ROWS[0][1] == UNIFORM


def test_only_what_lies_between_the_markers_is_written(tmp_path: Path) -> None:
    path = tmp_path / "scaling.md"
    path.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_scaling(RUN, path)
    text = path.read_text()
    assert text.startswith(f"before\n{BEGIN}\n\nMeasured by `make bench-full`")
    assert text.endswith(f"|\n\n{END}\nafter\n")
    assert "old" not in text


def test_a_document_without_its_markers_is_left_alone() -> None:
    with pytest.raises(ValueError, match="must have the lines"):
        filled(f"{END}\n{BEGIN}\n", "table")


def test_the_document_has_its_markers() -> None:
    assert "| 4 workers |" in filled(DOCUMENT.read_text(), scaling_table(RUN))
