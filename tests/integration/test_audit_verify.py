from collections.abc import Callable

import orjson
import pytest
from plain_topics import put_records

from ops.audit.verify import verify_audit
from schemas.audit import GENESIS_HASH, chain_record
from schemas.settings import Settings
from schemas.topics import AUDIT
from sinks.kafka.records import Record


async def publish(settings: Settings, partition: int, values: list[bytes]) -> None:
    await put_records(settings, settings.topic_name(AUDIT), partition, [Record(b"k", value, []) for value in values])


def chain(count: int) -> list[bytes]:
    values, prev_hash = [], GENESIS_HASH
    for sequence in range(count):
        value, prev_hash = chain_record(
            {"amount": "1"}, outcome_offset=sequence, sequence=sequence, prev_hash=prev_hash
        )
        values.append(value)
    return values


async def test_a_sound_topic_holds_with_a_chain_a_partition(settings: Settings) -> None:
    await publish(settings, 0, chain(6_000))
    await publish(settings, 2, chain(3))
    seen: list[tuple[str, int, int]] = []
    report = await verify_audit(settings, lambda *told: seen.append(told))
    assert report.sound
    assert report.checked == {0: 6_000, 1: 0, 2: 3}
    assert report.heads[2] == orjson.loads(chain(3)[-1])["hash"]
    assert seen[-1] == ("audit records", 6_003, 6_003)


@pytest.mark.parametrize(
    ("break_it", "offset", "problem"),
    [
        (lambda values: values[:1] + values[2:], 1, "sequence is 2, 1 is due"),
        (lambda values: [values[0].replace(b'"1"', b'"2"'), *values[1:]], 0, "hash does not fit"),
        (lambda values: [*values, b"not json"], 4, "not one JSON document"),
    ],
)
async def test_the_first_bad_record_is_named(
    settings: Settings, break_it: Callable[[list[bytes]], list[bytes]], offset: int, problem: str
) -> None:
    await publish(settings, 0, chain(4))
    await publish(settings, 1, break_it(chain(4)))
    report = await verify_audit(settings)
    [fault] = report.faults
    assert (fault.partition, fault.offset) == (1, offset)
    assert problem in fault.problem
    assert not report.sound
