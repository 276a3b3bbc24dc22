"""After a sound run the ledger is changed behind its back, and reconcile must name what was changed."""

import uuid

import pytest
from pipeline_run import ANNA, BEN, LAST, PAYMENT, REFUSED, WORLD, broken, examples, run_pipeline

from ops.embedded.stack import Stack
from ops.reconcile.run import reconcile
from schemas.settings import Settings
from sinks.kafka.topics import ensure_topics
from sinks.postgres.pool import connect

NAMES = {"world": WORLD, "anna": ANNA, "ben": BEN, "payment": PAYMENT, "refused": REFUSED, "last": LAST}


@pytest.fixture(scope="module")
async def sound(stack: Stack, template: str) -> Settings:
    """A pipeline that has run; only to be looked at."""
    unique = uuid.uuid4().hex[:12]
    settings = stack.settings().model_copy(update={"postgres_db": f"test_{unique}", "topic_prefix": f"test-{unique}."})
    await execute(settings, "postgres", f'create database "{settings.postgres_db}" template "{template}"')
    await ensure_topics(settings)
    await run_pipeline(settings)
    return settings


async def execute(settings: Settings, database: str, sql: str) -> None:
    connection = await connect(settings.model_copy(update={"postgres_db": database}))
    await connection.execute(sql)
    await connection.close()


async def test_a_sound_run_agrees_in_everything(sound: Settings) -> None:
    report = await reconcile(sound, settled=True)
    assert broken(report) == set(), [finding for finding in report.findings if finding.faults]
    assert report.pending == 0
    assert sum(report.facts.transfers.values()) == 5
    assert report.facts.chain_verified
    assert report.facts.records == {"requests": 10, "outcomes": 5, "dead_letters": 4, "audit": 5, "notifications": 7}


async def test_an_empty_pipeline_agrees(settings: Settings) -> None:
    assert (await reconcile(settings, settled=True)).holds


CORRUPTIONS: list[tuple[str, set[str], str]] = [
    (
        "update wallets set balance = balance + 1 where wallet_id = :anna",
        {"currencies_sum_to_zero", "balances_are_sums"},
        ANNA,
    ),
    ("update wallets set balance = balance + 1 where wallet_id in (:anna, :world)", {"balances_are_sums"}, ANNA),
    ("update wallets set version = version + 1 where wallet_id = :ben", {"balances_are_sums"}, BEN),
    (
        "alter table wallets drop constraint wallets_check1; update wallets set balance = -1 where wallet_id = :ben",
        {"only_world_below_zero", "balances_are_sums", "currencies_sum_to_zero"},
        BEN,
    ),
    ("update wallets set currency = 'EUR' where wallet_id = :ben", {"entries_fit_wallets"}, BEN),
    (
        "update transfers set source_balance = source_balance + 1 where transfer_id = :payment",
        {"versions_are_contiguous", "outcomes_equal_rows"},
        "differs in: source_balance",
    ),
    (
        "update transfers set source_version = 7 where transfer_id = :last",
        {"versions_are_contiguous", "outcomes_equal_rows"},
        "left version 7 (3 is due)",
    ),
    (
        "update transfers set amount = amount + 1 where transfer_id = :payment",
        {"rows_equal_requests", "outcomes_equal_rows", "balances_are_sums", "versions_are_contiguous"},
        "in: amount",
    ),
    (
        "update transfers set metadata = '{}' where transfer_id = :payment",
        {"rows_equal_requests", "outcomes_equal_rows"},
        "in: metadata",
    ),
    (
        "update transfers set reason = 'wallet_frozen' where transfer_id = :refused",
        {"outcomes_equal_rows"},
        "differs in: reason",
    ),
    (
        "delete from transfers where transfer_id = :refused",
        {"requests_have_one_answer", "outcomes_have_rows"},
        f"transfer {REFUSED} has no row",
    ),
    (
        "update transfers set request_offset = request_offset + 3 where transfer_id = :refused",
        {"rows_equal_requests", "outcomes_equal_rows"},
        "the request is undecodable",
    ),
    (
        "update transfers set request_partition = 99 where transfer_id = :refused",
        {"rows_have_partitions", "one_row_an_offset"},
        "partition 99",
    ),
    ("update stream_progress set next_offset = 2", {"one_row_an_offset", "requests_are_applied"}, LAST),
]


@pytest.mark.parametrize(("sql", "names", "text"), CORRUPTIONS)
async def test_a_ledger_changed_behind_its_back_is_named(sound: Settings, sql: str, names: set[str], text: str) -> None:
    for name, value in NAMES.items():
        sql = sql.replace(f":{name}", f"'{value}'")
    corrupted = sound.model_copy(update={"postgres_db": f"test_{uuid.uuid4().hex[:12]}"})
    await execute(sound, "postgres", f'create database "{corrupted.postgres_db}" template "{sound.postgres_db}"')
    await execute(corrupted, corrupted.postgres_db, "alter table transfers disable trigger transfers_append_only")
    await execute(corrupted, corrupted.postgres_db, sql)
    report = await reconcile(corrupted, settled=True)
    await execute(sound, "postgres", f'drop database "{corrupted.postgres_db}"')
    assert names <= broken(report)
    assert any(text in found for name in names for found in examples(report, name))
