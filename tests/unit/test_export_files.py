from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from audit_values import MIDNIGHT, chained, outcome, payments

from ops.errors import CommandError
from ops.export.columns import SCHEMA, columns_of
from ops.export.errors import BrokenChainError, DamagedExportError, ExportBusyError
from ops.export.files import read_links, write_steps
from ops.export.layout import newest, path_of, scan, unfinished
from ops.export.link import Link
from ops.export.lock import only_export
from ops.export.partition_writer import PartitionWriter
from ops.export.records import read_records
from ops.export.spans import spans_from
from ops.export.worker import Job, Part, plain_settings, shared_out
from ops.topic_reader import Span
from schemas.settings import Settings

DAYS = chained(outcome(number, MIDNIGHT + timedelta(hours=number - 3)) for number in range(8))
"""Three of the last day of January, five of the first of February."""

STEPS = 10
"""Between those of two files, each in a folder of its own."""


def steps(folder: Path, values: Sequence[bytes], link: Link) -> Iterator[Path]:
    offsets = range(link.next_sequence, link.next_sequence + len(values))
    records, _ = read_records(3, link, offsets, values)
    return write_steps(folder, pa.Table.from_batches([columns_of(3, offsets, records)]))


def links(folder: Path) -> dict[int, Link]:
    return read_links(newest(scan(folder)).values())


def sequences(folder: Path) -> list[int]:
    found = [pq.read_table(file.path, partitioning=None).column("sequence").to_pylist() for file in scan(folder)]
    return [sequence for of_file in found for sequence in of_file]


def test_a_file_holds_one_day_and_says_what_it_has(tmp_path: Path) -> None:
    assert len(list(steps(tmp_path, DAYS, Link()))) == STEPS
    [january, february] = scan(tmp_path)
    assert january.path == tmp_path / "day=2026-01-31/p00003-000000000000000-000000000000002.parquet"
    assert february.path == tmp_path / "day=2026-02-01/p00003-000000000000003-000000000000007.parquet"
    stored = pq.read_schema(january.path)
    assert stored.equals(SCHEMA)
    assert pq.ParquetFile(january.path).metadata.row_group(0).column(0).compression == "ZSTD"
    assert links(tmp_path)[3].next_sequence == 8
    assert links(tmp_path)[3].next_offset == 8


@pytest.mark.parametrize("killed_after", range(STEPS + 1))
def test_killed_between_any_two_steps_no_row_is_lost_or_doubled(tmp_path: Path, killed_after: int) -> None:
    list(islice(steps(tmp_path, DAYS, Link()), killed_after))
    for left in list(unfinished(tmp_path)):
        left.unlink()
    link = links(tmp_path).get(3, Link())
    if link.next_sequence < len(DAYS):
        list(steps(tmp_path, DAYS[link.next_sequence :], link))
    assert sequences(tmp_path) == list(range(8))


def test_what_is_being_written_is_no_file_of_the_export(tmp_path: Path) -> None:
    half = steps(tmp_path, DAYS, Link())
    next(half)
    next(half)
    assert len(list(unfinished(tmp_path))) == 1
    assert scan(tmp_path) == []


def test_a_writer_cuts_files_and_goes_on(tmp_path: Path) -> None:
    values = payments(10)
    writer = PartitionWriter(tmp_path, 3, Link(), rows_max=4)
    writer.add([0, 1, 2], values[:3])
    assert scan(tmp_path) == []
    writer.add([3, 5], values[3:5])
    assert [(file.first, file.last) for file in scan(tmp_path)] == [(0, 4)]
    writer.flush()
    writer = PartitionWriter(tmp_path, 3, links(tmp_path)[3], rows_max=4)
    writer.add([6], values[5:6])
    writer.flush()
    assert [(file.first, file.last) for file in scan(tmp_path)] == [(0, 4), (5, 5)]
    assert links(tmp_path)[3].next_offset == 7


def test_late_rows_of_an_old_day_go_to_another_file_of_it(tmp_path: Path) -> None:
    late = [MIDNIGHT, MIDNIGHT - timedelta(seconds=1), MIDNIGHT]
    list(steps(tmp_path, chained(outcome(number, at) for number, at in enumerate(late)), Link()))
    assert [(file.path.parent.name, file.first, file.last) for file in scan(tmp_path)] == [
        ("day=2026-02-01", 0, 0),
        ("day=2026-01-31", 1, 1),
        ("day=2026-02-01", 2, 2),
    ]


def put(folder: Path, first: int, last: int) -> Path:
    path = path_of(folder, "2026-02-01", 0, first, last)
    path.parent.mkdir(exist_ok=True)
    path.touch()
    return path


@pytest.mark.parametrize(
    ("ranges", "problem"),
    [
        ([(1, 2)], "are in no file"),
        ([(0, 2), (4, 5)], "are in no file"),
        ([(0, 2), (2, 5)], "are in two files"),
        ([(0, 5), (0, 2)], "are in two files"),
    ],
)
def test_missing_and_doubled_files_are_found(tmp_path: Path, ranges: list[tuple[int, int]], problem: str) -> None:
    for first, last in ranges:
        put(tmp_path, first, last)
    with pytest.raises(DamagedExportError, match=problem):
        scan(tmp_path)


def test_files_of_others_are_not_guessed_about(tmp_path: Path) -> None:
    (tmp_path / "day=2026-02-01").mkdir()
    (tmp_path / "day=2026-02-01" / "mine.parquet").touch()
    with pytest.raises(DamagedExportError, match=r"mine\.parquet is none of an export's files"):
        scan(tmp_path)


def test_a_file_that_is_not_what_its_name_says_is_found(tmp_path: Path) -> None:
    broken = put(tmp_path, 0, 2)
    with pytest.raises(DamagedExportError, match="cannot be read"):
        links(tmp_path)
    broken.unlink()
    list(steps(tmp_path, DAYS[:2], Link()))
    [file] = scan(tmp_path)
    file.path.rename(path_of(tmp_path, "2026-01-31", 3, 0, 2))
    with pytest.raises(DamagedExportError, match="does not hold the records that its name says"):
        links(tmp_path)


def test_two_exports_at_once_are_refused(tmp_path: Path) -> None:
    with only_export(tmp_path / "new"), pytest.raises(ExportBusyError), only_export(tmp_path / "new"):
        pass
    with only_export(tmp_path / "new"):
        pass


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    problem = "/file/export cannot be written to: Not a directory"
    with pytest.raises(CommandError, match=problem), only_export(tmp_path / "file" / "export"):
        pass


def test_what_comes_behind_the_files_is_due() -> None:
    present = [Span("audit", 0, 0, 10), Span("audit", 1, 0, 90), Span("audit", 2, 0, 5)]
    exported = {0: Link(4, "f" * 64, 4), 2: Link(5, "f" * 64, 5)}
    assert spans_from(present, exported) == [Span("audit", 1, 0, 90), Span("audit", 0, 4, 10)]


@pytest.mark.parametrize(
    ("present", "problem"),
    [
        ([Span("audit", 0, 0, 3)], "ends at offset 3, and records up to 3 were exported"),
        ([], "ends at offset 0"),
        ([Span("audit", 0, 5, 9)], "records from offset 4 on are gone"),
    ],
)
def test_a_topic_that_lost_records_is_not_exported(present: list[Span], problem: str) -> None:
    with pytest.raises(BrokenChainError, match=problem):
        spans_from(present, {0: Link(4, "f" * 64, 4)})


def test_partitions_are_shared_out_evenly() -> None:
    parts = [Part(Span("audit", partition, 0, end), Link()) for partition, end in enumerate([90, 50, 30, 20, 9])]
    heaps = shared_out(parts, 2)
    assert [[part.span.partition for part in heap] for heap in heaps] == [[0, 4], [1, 2, 3]]
    assert shared_out([], 0) == []


def test_a_job_is_the_same_behind_a_pipe() -> None:
    settings = Settings(_env_file=None, postgres_password="of-the-database", secret_key="s" * 40, smtp_url=None)
    job = Job(plain_settings(settings), "/srv/audit", [Part(Span("audit", 1, 2, 3), Link(4, "f" * 64, 2))])
    told = msgspec.json.decode(msgspec.json.encode(job), type=Job)
    assert told == job
    assert Settings(_env_file=None, **told.settings) == settings
