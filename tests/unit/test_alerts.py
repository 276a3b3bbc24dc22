"""The alert rules, as far as Python can tell: `make test-alerts` runs them through promtool."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from metric_names import known_metrics, metrics_in, unknown_in

ROOT = Path(__file__).parents[2]
RULES: dict[str, Any] = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())
ALERTS: list[dict[str, Any]] = [rule for group in RULES["groups"] for rule in group["rules"]]
NAMES = {alert["alert"] for alert in ALERTS}
TESTS: dict[str, Any] = yaml.safe_load((ROOT / "deploy/prometheus/alerts_test.yml").read_text())
RUNBOOK = (ROOT / "docs/runbook.md").read_text()


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_says_what_to_do(alert: dict[str, Any]) -> None:
    assert set(alert) <= {"alert", "expr", "for", "labels", "annotations"}
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}
    page, _, heading = alert["annotations"]["runbook_url"].partition("#")
    assert (ROOT / page).is_file()
    assert heading == alert["alert"].lower()


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_asks_for_what_there_is(alert: dict[str, Any]) -> None:
    assert unknown_in(alert["expr"], known_metrics()) == []


def test_the_runbook_has_a_section_for_each_alert_and_no_other() -> None:
    sections = re.findall(r"^### (Hfts\w+)$", RUNBOOK, re.MULTILINE)
    assert sorted(sections) == sorted(NAMES)


def test_each_alert_is_shown_to_fire_and_not_to_fire() -> None:
    assert TESTS["rule_files"] == ["alerts.yml"]
    shown = [case for test in TESTS["tests"] for case in test["alert_rule_test"]]
    assert {case["alertname"] for case in shown if case.get("exp_alerts")} == NAMES
    assert {case["alertname"] for case in shown if not case.get("exp_alerts")} == NAMES


def test_what_is_named_in_a_query_is_found() -> None:
    query = 'sum by (le, agent) (rate(a_total{x="by (b)"}[5m] offset 15m)) / on (y) max(up) > bool 0.5e3 or absent(c)'
    assert metrics_in(query) == {"a_total", "up", "c"}
    known = {"a_total": frozenset({"agent"}), "up": frozenset[str](), "c": frozenset[str]()}
    assert unknown_in(query, known) == ["label y", "a_total{x}"]
    assert metrics_in("hfts_batch_seconds_bucket") == {"hfts_batch_seconds"}
    assert unknown_in("hfts_nothing", known_metrics()) == ["hfts_nothing"]
