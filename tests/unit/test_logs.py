"""The form of log lines, in processes of their own: what is in them, and what is hidden."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sinks.masking import mask_email, mask_text, masked

ROOT = Path(__file__).parents[2]

BEGINNING = """
import asyncio, logging, sys, warnings
import structlog
from sinks.logs import configure_logging
configure_logging(debug={debug})
log = structlog.get_logger("ours")
"""


def told_by(program: str, *, debug: bool = False) -> str:
    done = subprocess.run(
        [sys.executable, "-c", BEGINNING.format(debug=debug) + program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ""
    return done.stderr


def lines_of(program: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in told_by(program).splitlines()]


def test_every_line_is_one_json_object_whoever_writes_it() -> None:
    lines = lines_of("""
log.info("event.of_ours", partition=3, items=[1, 2])
logging.getLogger("uvicorn.error").info("Started server process [%d]", 7, extra={"color_message": "x"})
logging.getLogger("faust").warning("%s is away", "it")
logging.getLogger("faust").info("not worth a line")
logging.getLogger("faust.transport.producer").warning("producer buffer full size %s", 133)
warnings.warn("an old way", DeprecationWarning)
log.debug("not written")
try:
    raise ValueError("the reason")
except ValueError:
    logging.getLogger("mode").exception("Crashed")
raise LookupError("nobody caught me")
""")
    assert [(line["logger"], line["level"], line["event"].partition("\n")[0]) for line in lines[:3]] == [
        ("ours", "info", "event.of_ours"),
        ("uvicorn.error", "info", "Started server process [7]"),
        ("faust", "warning", "it is away"),
    ]
    assert (lines[0]["partition"], lines[0]["items"]) == (3, [1, 2])
    assert (lines[3]["logger"], "an old way" in lines[3]["event"]) == ("py.warnings", True)
    assert (lines[4]["logger"], "ValueError: the reason" in lines[4]["exception"]) == ("mode", True)
    assert (lines[5]["level"], lines[5]["event"]) == ("critical", "process.failed")
    assert "LookupError: nobody caught me" in lines[5]["exception"]
    assert len(lines) == 6
    assert all(line["timestamp"].endswith("Z") for line in lines)
    assert all(list(line)[:4] == ["timestamp", "level", "event", "logger"] for line in lines)


def test_what_is_bound_to_the_work_in_hand_is_on_every_line() -> None:
    ours, theirs, outside = lines_of("""
with structlog.contextvars.bound_contextvars(request_id="abc", topic="bound"):
    log.info("ours", topic="said")
    logging.getLogger("aiokafka").warning("theirs")
log.info("outside")
""")
    assert (ours["request_id"], ours["topic"]) == ("abc", "said")
    assert (theirs["request_id"], theirs["topic"]) == ("abc", "bound")
    assert "request_id" not in outside


def test_a_line_carries_its_trace() -> None:
    on, passed_on, off = lines_of("""
from opentelemetry.sdk.trace import TracerProvider
from schemas.settings import Settings
from sinks.spans import RecordedTracing
from sinks.tracing import Tracing, inherit, tracing, use
settings = Settings(_env_file=None, postgres_password="x", secret_key="x" * 32)
off = use(RecordedTracing(settings, TracerProvider()))
with tracing().database("transfers", 1):
    log.info("within")
use(off)
token = inherit(b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01")
log.info("passed on")
sys.modules["sinks.tracing"].disinherit(token)
log.info("outside")
""")
    assert (len(on["trace_id"]), len(on["span_id"])) == (32, 16)
    assert (passed_on["trace_id"], "span_id" in passed_on) == ("a" * 32, False)
    assert "trace_id" not in off


SECRETS = """
token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl"
log.info("for ada.lovelace@example.org", who="ada.lovelace@example.org", nested={"to": ["ada.lovelace@example.org"]})
log.info("tokens", header=f"Bearer {token}", bare=token, password="hunter2-secret", settings={"secret_key": "k-secret"})
log.info("urls", url="postgresql://hfts:pg-secret@db.example.org:5432/hfts_db")
log.info("objects", error=ValueError("of ada.lovelace@example.org"), raw=b"ada.lovelace@example.org")
logging.getLogger("library").warning("mail to %s", "ada.lovelace@example.org")
try:
    password = "local-secret"
    raise ValueError("a row of ada.lovelace@example.org")
except ValueError:
    log.exception("failed")
raise LookupError("ada.lovelace@example.org")
"""


@pytest.mark.parametrize("debug", [False, True])
def test_people_and_secrets_are_hidden(debug: bool) -> None:
    told = told_by(SECRETS, debug=debug)
    for secret in ("lovelace", "-secret", "eyJ", "c2lnbmF0dXJl"):
        assert secret not in told
    assert told.count("***@example.org") >= 8
    assert "LookupError" in told


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nothing to hide", "nothing to hide"),
        ("ada@example.org", "a***@example.org"),
        ("<ada@example.org>, b.o-b+tag@mail.example.co.uk.", "<a***@example.org>, b***@mail.example.co.uk."),
        ("ädä@exämple.org", "ä***@exämple.org"),
        ("x" * 64 + "@example.org", "x***@example.org"),
        ("to 'ada@example.org' and k=bob@example.org", "to 'a***@example.org' and k***@example.org"),
        ("a***@example.org", "a***@example.org"),
        ("broker@kafka-1", "broker@kafka-1"),
        ("@example.org a@ b", "@example.org a@ b"),
        ("amqp://user:word@host/x?y@z", "amqp://***@host/x?y@z"),
        ("https://key@host:443/", "https://***@host:443/"),
        ("authorization: bearer abc.def-ghi~jkl", "authorization: Bearer ***"),
        ("a bearer of news", "a bearer of news"),
        ("it is whsec_AAEC/+8=, they say", "it is whsec_***, they say"),
    ],
)
def test_what_is_hidden_in_a_text(text: str, expected: str) -> None:
    assert mask_text(text) == expected


def test_a_long_text_is_looked_through_quickly() -> None:
    """Once for each character, more or less: nobody can hold a process up with what it logs."""
    text = "x" * 200_000 + "@"
    assert mask_text(text) == text


def test_values_of_any_kind() -> None:
    assert masked({"a": 1, "b": None, "c": 1.5, "d": True, "e": ("x@y.org",)}) == {
        "a": 1,
        "b": None,
        "c": 1.5,
        "d": True,
        "e": ["x***@y.org"],
    }
    assert masked("anything", "refresh_token") == "***"
    assert masked({"Password": ["x"]}) == {"Password": "***"}
    assert mask_email("ada@example.org") == "a***@example.org"
