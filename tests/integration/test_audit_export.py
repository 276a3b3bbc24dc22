from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
from hfts_command import hfts
from pipeline_run import ANNA, BEN, partition_of, publish, request, run_pipeline, run_stage
from plain_topics import records_of

from ops.errors import CommandError
from ops.export.balances import compare_balances
from ops.export.layout import scan
from ops.export.run import export_audit
from schemas.settings import Settings
from schemas.topics import AUDIT, TRANSFERS_REQUESTED
from sinks.kafka.publisher import KafkaPublisher
from sinks.kafka.records import Record
from streams.audit import AuditStage
from streams.transfers import TransfersStage

TRANSFER = "dddddddd-0000-0000-0000-0000000000aa"


async def pay_once_more(settings: Settings) -> None:
    value = orjson.dumps(request(TRANSFER, ANNA, BEN, "2.0001", metadata={"for": "June"}))
    await publish(settings, TRANSFERS_REQUESTED, partition_of(ANNA, settings), Record(ANNA.encode(), value, []))
    for stage in (TransfersStage, AuditStage):
        publisher = KafkaPublisher(settings, settings.topic_prefix + "again")
        await run_stage(settings, stage(settings, publisher), publisher)


async def on_the_topic(settings: Settings) -> list[str]:
    return sorted(orjson.loads(record.value or b"")["hash"] for record in await records_of(settings, AUDIT))


def in_files(folder: Path) -> list[str]:
    found: list[str] = []
    for file in scan(folder):
        found += pq.read_table(file.path, partitioning=None).column("hash").to_pylist()
    return sorted(found)


async def test_the_audit_is_exported_once_asked_with_its_tail_and_compared_with_the_ledger(
    settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    await run_pipeline(settings)
    first = await on_the_topic(settings)
    exported = await export_audit(settings, folder)
    assert (exported.records_added, exported.records) == (len(first), len(first))
    assert in_files(folder) == first
    before = datetime.now(UTC)

    await pay_once_more(settings)
    whole = await on_the_topic(settings)
    assert len(whole) == len(first) + 1
    query = (
        "select count(*) as rows, count(distinct hash) as hashes, (select count(*) from live) as tail from transfers"
    )
    status, answer, _ = await hfts(settings, "audit", "query", query, "--from", str(folder), "--format", "json")
    assert (status, answer) == (0, [{"rows": len(whole), "hashes": len(whole), "tail": 1}])
    await balances_agree(settings, folder, before)

    seen: list[tuple[int, int]] = []
    again = await export_audit(settings, folder, lambda read, total: seen.append((read, total)), processes=1)
    assert (again.records_added, again.records) == (1, len(whole))
    assert in_files(folder) == whole
    assert seen[-1][0] == seen[-1][1] > 0
    assert (await export_audit(settings, folder)).records_added == 0

    await tamper(settings)
    with pytest.raises(CommandError, match="hash does not fit"):
        await export_audit(settings, folder)
    status, _, told = await hfts(settings, "audit", "export", "--to", str(folder))
    assert (status, told.endswith("[audit_chain_broken]\n"), told.count("\n")) == (1, True, 1)
    assert in_files(folder) == whole


async def balances_agree(settings: Settings, folder: Path, before: datetime) -> None:
    for at, legs in ((before, 0), (datetime.now(UTC), 1)):
        report = await compare_balances(settings, folder, at, ANNA)
        held: Any = report.wallet
        assert report.agrees, report.differences
        assert (held.balance, held.version) == (("87.4999", 3), ("85.4998", 4))[legs]
    everybody = await compare_balances(settings, folder.parent / "nothing", datetime.now(UTC))
    assert (everybody.agrees, everybody.wallets) == (True, 3)


async def tamper(settings: Settings) -> None:
    """Puts a record behind the last that follows it, and is not what its hash says."""
    partition = partition_of(ANNA, settings)
    last = [record for record in await records_of(settings, AUDIT) if record.partition == partition][-1]
    document = orjson.loads(last.value or b"")
    document |= {
        "transfer_id": TRANSFER,
        "sequence": document["sequence"] + 1,
        "prev_hash": document["hash"],
        "amount": "9.0000",
    }
    await publish(settings, AUDIT, last.partition, Record(last.key, orjson.dumps(document), []))
