"""The doctor's report: what one check comes to does not hide the others, nothing secret is told, 80 columns will do."""

import asyncio
import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import SecretStr
from rich.console import Console

from ops.doctor.check import Area, Check, together
from ops.doctor.checks.areas import AREAS
from ops.doctor.display import print_report
from ops.doctor.facts.attempt import attempt
from ops.doctor.facts.configuration import Configuration, SettingsFile
from ops.doctor.facts.facts import Facts, gather_facts
from ops.doctor.finding import Finding, Unknown, Verdict, ok, problem, warning
from ops.doctor.report import Report, make_report
from ops.embedded.ports import free_port
from schemas.settings import Settings

ROOT = Path(__file__).parents[2]
SECRETS = {
    "postgres_password": "pg-5Jq8wz-not-this-one",
    "kafka_sasl_password": "sasl-T9vXr2-not-this-one",
    "secret_key": "key-Lw3nHs-change-me-not-this-one",
    "secret_keys_previous": "older-Zp6tBc-example-not-this-one",
    "smtp_url": "smtp://mailer:smtp-Gd4mVf-not@127.0.0.1:9",
}


def configuration(**values: Any) -> Configuration:
    """Where nothing listens."""
    away = {
        "postgres_port": free_port(()),
        "kafka_bootstrap_servers": f"127.0.0.1:{free_port(())}",
        "api_port": free_port(()),
    }
    return Configuration(SettingsFile(Path(".env")), Settings(_env_file=None, **{**SECRETS, **away, **values}))


@pytest.fixture(scope="module")
async def nothing_there() -> Facts:
    return await gather_facts(configuration(kafka_security_protocol="SASL_PLAINTEXT", kafka_sasl_username="me"))


def verdicts(report: Report) -> dict[str, Verdict]:
    return {entry.check: entry.finding.verdict for entry in report.entries}


def test_what_depends_on_a_server_that_is_away_is_not_checked(nothing_there: Facts) -> None:
    report = make_report(AREAS, nothing_there)
    found = verdicts(report)
    assert {check.name for area in AREAS for check in area.checks} == set(found)
    assert found["postgres-access"] is found["kafka-access"] is found["secret-key"] is Verdict.PROBLEM
    assert found["packages"] is found["api-port"] is Verdict.OK
    skipped = {entry.check: entry.finding.seen for entry in report.with_verdict(Verdict.NOT_CHECKED)}
    assert skipped["migrations"] == "PostgreSQL must be reached first"
    assert skipped["topics"] == skipped["kafka-rights"] == "Kafka must be reached first"
    assert skipped["progress"] == "Kafka must be reached first"
    assert not report.is_sound


def test_no_secret_is_told(nothing_there: Facts) -> None:
    report = make_report(AREAS, nothing_there)
    told = shown(report, 200) + orjson.dumps(report.as_json()).decode() + repr(nothing_there)
    for secret in SECRETS.values():
        assert secret.removeprefix("smtp://mailer:").partition("@")[0] not in told


async def test_settings_that_are_wrong_hide_only_what_needs_them() -> None:
    facts = await gather_facts(replace(configuration(), wrong={"POSTGRES_PASSWORD": "field required"}))
    found = {entry.check: entry.finding for entry in make_report(AREAS, facts).entries}
    assert found["settings"].verdict is Verdict.PROBLEM
    assert found["postgres-access"].seen == "POSTGRES_PASSWORD must be set right first"
    assert found["kafka-access"].verdict is Verdict.PROBLEM


async def test_certificates_that_are_missing_are_told_once_as_a_problem() -> None:
    wrong = configuration(kafka_security_protocol="SSL", kafka_ssl_cafile="/nowhere.pem")
    found = {entry.check: entry.finding for entry in make_report(AREAS, await gather_facts(wrong)).entries}
    assert found["certificates"].verdict is Verdict.PROBLEM
    assert found["kafka-access"].verdict is Verdict.NOT_CHECKED
    assert "/nowhere.pem" in found["kafka-access"].seen


@asynccontextmanager
async def silent_server() -> AsyncIterator[int]:
    """The port of a server that lets everybody in and never says a word."""
    writers: list[asyncio.StreamWriter] = []

    async def listen(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        for writer in writers:
            writer.close()


async def test_servers_that_never_answer_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.doctor.facts.database.STEP_TIMEOUT_S", 0.1)
    monkeypatch.setattr("sinks.kafka.access.ANSWER_TIMEOUT_S", 0.1)
    async with silent_server() as port:
        facts = await gather_facts(configuration(postgres_port=port, kafka_bootstrap_servers=f"127.0.0.1:{port}"))
    found = {entry.check: entry.finding for entry in make_report(AREAS, facts).entries}
    assert "does not answer within" in found["postgres-access"].seen
    assert "does not talk as KAFKA_SECURITY_PROTOCOL=PLAINTEXT wants it" in found["kafka-access"].seen


async def test_a_step_says_why_it_failed() -> None:
    async def fail() -> None:
        raise ValueError("no such thing\nwith the row")

    assert await attempt(fail()) == Unknown("ValueError: no such thing")


def check(name: str, judge: Any, of: Any = lambda _: 1) -> Check[Any]:
    return Check(name, "a mistake", "a remedy", of, judge)


def report_of(*checks: Check[Any], facts: Facts) -> Report:
    return make_report([Area("Here", checks)], facts)


def test_a_check_that_fails_itself_does_not_hide_the_others(nothing_there: Facts) -> None:
    report = report_of(check("broken", lambda _: 1 // 0), check("fine", lambda _: [ok("well")]), facts=nothing_there)
    assert verdicts(report) == {"broken": Verdict.NOT_CHECKED, "fine": Verdict.OK}
    assert report.is_sound


def test_the_first_fact_that_is_missing_is_the_reason() -> None:
    assert together(1, Unknown("first"), Unknown("second")) == Unknown("first")
    assert together(1, 2) == (1, 2)


def shown(report: Report, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    print_report(console, report)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


LONG = "kafka-configs.sh --bootstrap-server 127.0.0.1:9092 --alter --entity-type topics --entity-name transfers"
SEEN: list[Finding] = [
    ok("[brackets] are text"),
    warning("it is " + "rather " * 20 + "long", "this matters", "do something about it"),
    problem("it is wrong", "a reason that goes on for quite a while, " * 3, "run:", LONG),
]


def test_80_columns_will_do(nothing_there: Facts) -> None:
    text = shown(report_of(check("name-of-a-check", lambda _: SEEN), facts=nothing_there), 80)
    lines = text.splitlines()
    assert [line for line in lines if len(line) > 80] == [" " * 8 + LONG], "a command can be copied whole"
    assert "[brackets] are text" in text
    assert text.count("→") == 2
    assert lines[-1] == "1 problem, 1 warning, 1 fine."


def test_it_closes_with_how_to_go_on(nothing_there: Facts) -> None:
    wrong = check("one", lambda _: [problem("wrong", "why", "do")])
    skipped = [check(name, lambda _: [], lambda _: Unknown("first things first")) for name in ("two", "three")]
    closing = "1 problem, 0 fine, 2 not checked. Mend what is found, and run it again for the rest."
    assert closing in shown(report_of(wrong, *skipped, facts=nothing_there), 200)
    sound = report_of(check("one", lambda _: SEEN[:2]), facts=nothing_there)
    assert "No problem, 1 warning, 1 fine." in shown(sound, 80)


def test_checks_that_wait_for_the_same_thing_share_a_line(nothing_there: Facts) -> None:
    reasons = {"the-first": "first things first", "the-next": "first things first", "the-last": "no answer"}
    checks = [check(name, lambda _: [], lambda _, why=why: Unknown(why)) for name, why in reasons.items()]
    text = shown(report_of(*checks, facts=nothing_there), 120)
    assert "2 checks  not checked: first things first (the-first, the-next)" in text
    assert "the-last  not checked: no answer" in text


def test_json_has_it_all(nothing_there: Facts) -> None:
    found = report_of(check("one", lambda _: SEEN), facts=nothing_there).as_json()
    assert found["sound"] is False
    assert found["counts"] == {"ok": 1, "warning": 1, "problem": 1, "not_checked": 0}
    assert found["findings"][2] == {
        "area": "Here",
        "check": "one",
        "verdict": "problem",
        "seen": "it is wrong",
        "why": SEEN[2].why,
        "remedy": "run:",
        "command": LONG,
    }
    orjson.dumps(found)


def test_checks_have_names_of_their_own() -> None:
    names = [check.name for area in AREAS for check in area.checks]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in names)


def test_the_documentation_lists_every_check() -> None:
    text = (ROOT / "docs" / "doctor.md").read_text()
    rows = re.findall(r"^\| `([a-z-]+)` \| (.*) \| (.*) \|$", text, re.MULTILINE)
    assert rows == [(check.name, check.finds, check.remedy) for area in AREAS for check in area.checks]
    titles = re.findall(r"^### (.*)$", text, re.MULTILINE)
    assert titles == [area.title for area in AREAS]


def test_secrets_of_the_settings_are_all_tried() -> None:
    assert all(isinstance(getattr(configuration().settings, name), SecretStr) for name in SECRETS)
