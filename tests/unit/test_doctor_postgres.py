"""The doctor on PostgreSQL and the ledger's tables: each mistake, and the same without it."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import asyncpg
import pytest
from doctor_findings import checked, only

from ops.doctor.checks.ledger import judge_admins, judge_append_only, judge_migrations, judge_rights
from ops.doctor.checks.postgres import (
    PROCESSES,
    judge_connections,
    judge_door,
    judge_durability,
    judge_encoding,
    judge_version,
    judge_writable,
)
from ops.doctor.facts.database import DatabaseDoor, Migrations, Right, Rights, Server, explain_door
from ops.doctor.facts.names import name_fault
from ops.doctor.finding import Finding, Verdict
from schemas.settings import Settings

SETTINGS = Settings(_env_file=None, postgres_password="not-to-be-told", secret_key="k" * 40, postgres_host="db")
DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
SERVER = Server(
    version=180_004,
    version_text="18.4",
    durability=DURABLE,
    is_read_only=False,
    in_recovery=False,
    encoding="UTF8",
    connections_max=97,
    connections_limit=97,
    connections=20,
    connections_ours=12,
)


@pytest.mark.parametrize("judge", [judge_version, judge_durability, judge_writable, judge_encoding, judge_connections])
def test_a_server_as_it_should_be(judge: Callable[[Server], Sequence[Finding]]) -> None:
    only(judge(SERVER), Verdict.OK)


@pytest.mark.parametrize(
    ("error", "seen", "remedy"),
    [
        (asyncpg.InvalidPasswordError("wrong"), "refuses user hfts", "Mend the setting"),
        (asyncpg.InvalidCatalogNameError("no"), "has no database hfts_db", "Set POSTGRES_DB"),
        (asyncpg.TooManyConnectionsError("sorry"), "has no connection left", "raise their number"),
        (asyncpg.ProtocolViolationError("unsupported startup parameter: jit"), "is a pooler", "PostgreSQL itself"),
        (TimeoutError(), "does not answer within 5 s", "firewalls"),
        (ConnectionRefusedError(111, "Connect call failed"), "cannot be reached", "Start PostgreSQL"),
        (asyncpg.CannotConnectNowError("the database system is starting up"), "starting up", "Start PostgreSQL"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_a_server_that_does_not_let_us_in(error: Exception, seen: str, remedy: str) -> None:
    door = explain_door(SETTINGS, error)
    found = only(judge_door(door), Verdict.PROBLEM)
    assert seen in found.seen
    assert "db:5432" in found.seen
    assert remedy in found.remedy
    assert "not-to-be-told" not in str(found) + str(door)


def test_a_server_that_lets_us_in() -> None:
    assert only(judge_door(DatabaseDoor(SETTINGS)), Verdict.OK).seen == "db:5432 lets hfts into hfts_db"


async def test_names_that_have_no_address() -> None:
    assert await name_fault("127.0.0.1") is None
    assert await name_fault("nobody.invalid") is not None  # RFC 6761
    assert await name_fault("a..b") is not None
    assert await name_fault("x" * 70 + ".example") is not None


async def test_a_resolver_that_hangs_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    monkeypatch.setattr("ops.doctor.facts.names._look_up", lambda _: answered.wait())
    monkeypatch.setattr("ops.doctor.facts.names.NAME_TIMEOUT_S", 0.01)
    try:
        assert "name servers did not answer" in str(await name_fault("slow.example"))
    finally:
        answered.set()


def test_an_old_server() -> None:
    old = replace(SERVER, version=140_012, version_text="14.12")
    assert "14.12" in only(judge_version(old), Verdict.PROBLEM).seen
    only(judge_version(replace(SERVER, version=150_000)), Verdict.OK)


@pytest.mark.parametrize("name", DURABLE)
def test_commits_that_may_not_stay(name: str) -> None:
    found = only(judge_durability(replace(SERVER, durability={**DURABLE, name: "off"})), Verdict.PROBLEM)
    assert found.seen == f"{name} is off"
    assert f"alter system set {name} = on" in found.command


@pytest.mark.parametrize("commit", ["remote_apply", "remote_write", "local"])
def test_other_ways_to_commit_are_fine(commit: str) -> None:
    only(judge_durability(replace(SERVER, durability={**DURABLE, "synchronous_commit": commit})), Verdict.OK)


def test_a_server_that_takes_no_writes() -> None:
    assert "standby" in only(judge_writable(replace(SERVER, in_recovery=True, is_read_only=True)), Verdict.PROBLEM).seen
    assert "read_only" in only(judge_writable(replace(SERVER, is_read_only=True)), Verdict.PROBLEM).seen


def test_another_encoding() -> None:
    assert "LATIN1" in only(judge_encoding(replace(SERVER, encoding="LATIN1")), Verdict.PROBLEM).seen


def test_too_few_connections() -> None:
    needed = sum(PROCESSES.values())
    few = replace(SERVER, connections_max=needed - 1, connections_limit=needed - 1)
    assert "at most" in only(judge_connections(few), Verdict.PROBLEM).seen
    limited = replace(SERVER, connections_limit=needed - 1)
    assert "at most" in only(judge_connections(limited), Verdict.PROBLEM).seen
    busy = replace(SERVER, connections=97, connections_ours=needed - 1)
    assert "others hold" in only(judge_connections(busy), Verdict.WARNING).seen
    only(judge_connections(replace(SERVER, connections=97, connections_ours=needed)), Verdict.OK)
    only(judge_connections(replace(SERVER, connections_limit=needed, connections=50)), Verdict.OK)


def test_migrations() -> None:
    only(judge_migrations(Migrations()), Verdict.OK)
    missing = only(judge_migrations(Migrations(["0002_more", "0003_again"])), Verdict.PROBLEM)
    assert missing.seen == "migrations are missing: 0002_more, 0003_again"
    assert missing.command == "hfts migrate"
    only(judge_migrations(Migrations(missing_post=["0004_less"])), Verdict.WARNING)
    newer = Migrations(fault="the database is newer than this program: install the version that migrated it")
    found = only(judge_migrations(newer), Verdict.PROBLEM)
    assert (found.seen, found.remedy) == (
        "the database is newer than this program",
        "Install the version that migrated it.",
    )


def test_rights_that_the_documented_role_has_not_are_not_missed() -> None:
    less = [Right("transfers", "delete"), Right("transfers", "update"), Right("schema_migrations", "insert")]
    only(judge_rights(Rights("app", "public", may_use=True, missing=less)), Verdict.OK)
    only(judge_rights(Rights("app", "public", may_use=True)), Verdict.OK)


def test_rights_that_are_missing() -> None:
    missing = [Right("transfers", "insert"), Right("transfers", "update"), Right("wallets", "select")]
    found = only(judge_rights(Rights("app", "public", may_use=True, missing=missing)), Verdict.PROBLEM)
    assert found.command == "grant insert on transfers to app; grant select on wallets to app"
    found = only(judge_rights(Rights("app", "money", may_use=False)), Verdict.PROBLEM)
    assert found.command == "grant usage on schema money to app"


def test_transfers_that_can_be_changed() -> None:
    only(judge_append_only(True), Verdict.OK)
    checked(judge_append_only(False)[0], Verdict.PROBLEM)


def test_nobody_who_could_bring_money_in() -> None:
    only(judge_admins(1), Verdict.OK)
    assert only(judge_admins(0), Verdict.WARNING).command == "hfts create-admin"
