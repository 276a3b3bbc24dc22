"""Requests whose header names are no UTF-8, from the topic to the ledger and the dead letters."""

from pathlib import Path

import asyncpg
from builders import a_request
from plain_topics import records_of
from raw_headers import RawRecord, put_raw
from workers import stop, wait_settled, worker

from ops.reconcile.run import reconcile
from schemas.headers import CAUSE
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, TRANSFERS_REQUESTED
from schemas.transfers import encode_request
from sinks.kafka.partitions import partition_of

POISON = b"\xff\xfename"
ZSTD = 4


async def test_they_go_the_way_of_any_other(settings: Settings, connection: asyncpg.Connection, tmp_path: Path) -> None:
    """Valid ones are applied, the others become dead letters with their bytes, and nothing stops behind them."""
    requests = [a_request() for _ in range(3)]
    key = requests[0].source_wallet_id.encode()
    partition = partition_of(key, settings.topic_partitions)
    valid = [encode_request(a_request(source_wallet_id=requests[0].source_wallet_id)) for _ in requests]
    records: list[RawRecord] = [
        (key, valid[0], []),
        (key, valid[1], [(POISON, None), (b"good", b"\xff")]),
        (key, b"\xff\x00", [(POISON, b"held")]),
        (None, None, [(POISON, b"")]),
        (key, b"", [(b"\xff" * 900_000, None)]),
    ]
    topic = settings.topic_name(TRANSFERS_REQUESTED)
    await put_raw(settings, topic, partition, records)
    await put_raw(settings, topic, partition, [*records[1:3], (key, valid[2], [])], compression=ZSTD)
    log = tmp_path / "worker.log"
    async with worker(settings, log) as process:
        await wait_settled(settings, ("transfers", "notifications", "audit", "deliveries"), process)
        assert await stop(process) == 0, log.read_text()

    assert await connection.fetchval("select count(*) from transfers") == 3
    letters = await records_of(settings, DEAD_LETTERS)
    assert [(r.key, r.value, r.headers[0][0][:12], r.headers[0][1]) for r in letters] == [
        (key, b"\xff\x00", r"\xff\xfename", b"held"),
        (None, None, r"\xff\xfename", b""),
        (key, b"", r"\xff\xff\xff", None),
        (key, b"\xff\x00", r"\xff\xfename", b"held"),
    ]
    assert {dict(r.headers)[CAUSE] for r in letters} == {b"undecodable"}
    report = await reconcile(settings, settled=True)
    assert [(f.name, f.faults, f.pending) for f in report.findings if f.faults or f.pending] == []
