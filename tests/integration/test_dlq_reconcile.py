"""The whole pipeline with dead letters put back: every invariant still holds."""

import uuid

import asyncpg
import orjson
from dead_letters import states
from pipeline_run import (
    ANNA,
    BEN,
    TamperingPublisher,
    broken,
    examples,
    partition_of,
    publish,
    request,
    run_pipeline,
    run_stage,
)

from ops.dlq.listing import list_letters
from ops.dlq.replay import replay_letters
from ops.dlq.selection import Selection, State
from ops.reconcile.run import reconcile
from schemas.settings import Settings
from schemas.topics import TRANSFERS_REQUESTED
from sinks.kafka.records import Record
from streams.audit import AuditStage
from streams.notifications import NotificationsStage
from streams.transfers import TransfersStage


async def work_off(settings: Settings) -> None:
    for stage in (TransfersStage, NotificationsStage, AuditStage):
        publisher = TamperingPublisher(settings, lambda _topic, record: [record])
        await run_stage(settings, stage(settings, publisher), publisher)


async def test_every_invariant_holds_after_replays(settings: Settings, connection: asyncpg.Connection) -> None:
    await run_pipeline(settings)
    lunch = str(uuid.uuid4())
    await connection.execute("alter table transfers add constraint fasting check (reference <> 'lunch')")
    value = orjson.dumps(request(lunch, ANNA, BEN, "0.5", reference="lunch"))
    await publish(settings, TRANSFERS_REQUESTED, partition_of(ANNA, settings), Record(ANNA.encode(), value, []))
    await work_off(settings)
    unprocessable = Selection(causes=frozenset({"unprocessable"}))
    [[refused]] = [some async for some in list_letters(settings, unprocessable)]
    assert refused.letter.transfer_id == lunch

    await connection.execute("alter table transfers drop constraint fasting")
    assert (await replay_letters(settings, unprocessable, actor="eve")).replayed == {"unprocessable": 1}
    await work_off(settings)
    assert await connection.fetchval("select status from transfers where transfer_id = $1", lunch) == "COMPLETED"
    assert broken(await reconcile(settings, settled=True)) == set()

    # The others are as wrong as before, and become letters once more.
    report = await replay_letters(settings, Selection(), actor="eve")
    assert report.replayed == {"undecodable": 1, "invalid_request": 1, "wrong_key": 1, "transfer_id_reused": 1}
    await work_off(settings)
    assert sorted((await states(settings)).values()) == [State.OPEN] * 4 + [State.REPLAYED] * 5
    again = [known.letter async for some in list_letters(settings, Selection()) for known in some]
    assert {letter.headers[-2][0] for letter in again} == {"replay-of"}
    assert broken(await reconcile(settings, settled=True)) == set()

    # It was not for nothing that the row was looked for: without it, the replayed letter is no answer.
    await connection.execute("alter table transfers disable trigger transfers_append_only")
    await connection.execute("update transfers set request_offset = 0 where transfer_id = $1", lunch)
    found = examples(await reconcile(settings, settled=True), "requests_have_one_answer")
    assert any(f"transfer {lunch}" in example for example in found)
