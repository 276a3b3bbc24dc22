"""The recipient's side of a webhook, as the documentation has it, does what it says."""

import base64
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

DOCUMENT = (Path(__file__).parents[2] / "docs" / "notifications.md").read_text()
OLD, NEW, OTHER = (bytes([number]) * 32 for number in (1, 2, 3))
BODY = b'{"type":"transfer.completed"}'
EVENT = {"type": "transfer.completed"}


def recipe(monkeypatch: pytest.MonkeyPatch, secret: bytes) -> Any:
    monkeypatch.setenv("WEBHOOK_SECRET", f"whsec_{base64.b64encode(secret).decode()}")
    [code] = re.findall(r"^```python\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, "notifications.md", "exec"), names)  # noqa: S102 (our own document)
    return names["receive"]


def signed(*secrets: bytes, age_s: int = 0) -> dict[str, str]:
    moment = datetime.now(UTC) - timedelta(seconds=age_s)
    signatures = [Webhook(secret).sign("an id", moment, BODY.decode()) for secret in secrets]
    stamp = str(int(moment.timestamp()))
    return {"Webhook-Id": "an id", "Webhook-Timestamp": stamp, "Webhook-Signature": " ".join(signatures)}


@pytest.mark.parametrize("known", [OLD, NEW], ids=["old", "new"])
def test_either_secret_will_do_while_one_takes_over(monkeypatch: pytest.MonkeyPatch, known: bytes) -> None:
    assert recipe(monkeypatch, known)(signed(NEW, OLD), BODY) == (204, EVENT)


def test_a_repetition_is_handled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    receive = recipe(monkeypatch, NEW)
    assert [receive(signed(NEW), BODY) for _ in range(2)] == [(204, EVENT), (204, None)]


def test_what_is_forged_altered_or_old_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    receive = recipe(monkeypatch, NEW)
    refused = [(signed(OTHER), BODY), (signed(NEW), BODY + b" "), (signed(NEW, age_s=600), BODY), ({}, BODY)]
    assert [receive(*each) for each in refused] == [(401, None)] * 4
    assert receive(signed(NEW), BODY) == (204, EVENT), "none of them counts as handled"
