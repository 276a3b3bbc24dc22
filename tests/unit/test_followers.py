"""The stages that follow outcomes, cut off in the midst of publishing and taken over by another process."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
import pytest
from builders import REQUESTED_AT, CrashError, MemoryTopics, an_order, consumed
from stages import work

from ops.audit.chain import ChainVerifier
from schemas.notifications import decode_notification
from schemas.settings import Settings
from sinks.kafka.records import Consumed
from sinks.ledger.rules import decide
from sinks.recipients import Recipient
from streams.audit import AuditStage
from streams.line import publish_outputs
from streams.notifications import NotificationsStage
from streams.outcomes import outcome_record

OUTCOMES = 6


@pytest.fixture
def settings() -> Settings:
    return Settings(_env_file=None, postgres_password="x", secret_key="x" * 32)


@pytest.fixture
def outcomes() -> list[Consumed]:
    transfers, _ = decide([an_order(offset) for offset in range(OUTCOMES)], {}, REQUESTED_AT)
    records = [outcome_record(transfer) for transfer in transfers]
    return [
        consumed(offset, r.value, key=r.key, topic="outcomes", headers=r.headers) for offset, r in enumerate(records)
    ]


class EverybodyHasAnAddress:
    async def owners(self, wallet_ids: Iterable[str]) -> Mapping[str, Recipient]:
        return {wallet_id: Recipient(wallet_id, f"{wallet_id}@example.com") for wallet_id in wallet_ids}


async def follow(stage: Any, topics: MemoryTopics, outcomes: list[Consumed]) -> None:
    """A process that starts where the tail tells it, and reads to the end."""
    first = (await stage.resume_offsets([0]))[0]
    if first < len(outcomes):
        await publish_outputs(topics, await work(stage, {0: outcomes[first:]}))


@pytest.mark.parametrize("published", range(OUTCOMES))
async def test_the_chain_goes_on_where_it_was_cut(settings: Settings, outcomes: list[Consumed], published: int) -> None:
    topics = MemoryTopics()
    topics.crash_at, topics.groups_before_crash = "audit", published
    with pytest.raises(CrashError):
        await follow(AuditStage(settings, topics), topics, outcomes)
    assert len(topics.records["audit", 0]) == published
    for _ in range(2):
        await follow(AuditStage(settings, topics), topics, outcomes)
    records = topics.read("audit", 0)
    assert [orjson.loads(r.value or b"")["outcome_offset"] for r in records] == list(range(OUTCOMES))
    verifier = ChainVerifier(0, begin=0)
    for record in records:
        verifier.check(record.offset, record.value)
    assert verifier.fault is None


@pytest.mark.parametrize("published", range(OUTCOMES))
async def test_everybody_is_told_once_though_the_telling_was_cut(
    settings: Settings, outcomes: list[Consumed], published: int
) -> None:
    topics = MemoryTopics()
    topics.crash_at, topics.groups_before_crash = "notifications", published

    def a_process() -> NotificationsStage:
        stage = NotificationsStage(settings, topics)
        stage._recipients = EverybodyHasAnAddress()  # type: ignore[assignment]
        return stage

    with pytest.raises(CrashError):
        await follow(a_process(), topics, outcomes)
    for _ in range(2):
        await follow(a_process(), topics, outcomes)
    told = Counter(
        (n.transfer_id, n.recipient)
        for record in topics.read("notifications", 0)
        for n in [decode_notification(record.value or b"")]
    )
    assert len(told) == OUTCOMES
    assert set(told.values()) == {1}
