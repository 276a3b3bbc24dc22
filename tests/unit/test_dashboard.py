"""Grafana's dashboard: it asks for metrics that exist, and its panels stand beside each other."""

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from metric_names import known_metrics, unknown_in

FOLDER = Path(__file__).parents[2] / "deploy/grafana"
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "hfts.json").read_text())
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
COLUMNS = 24


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: f"{panel['id']} {panel['title']}")
def test_a_panel_asks_for_what_there_is(panel: dict[str, Any]) -> None:
    known = known_metrics()
    assert panel["targets"]
    for target in panel["targets"]:
        assert unknown_in(target["expr"], known) == []


def test_panels_ask_the_source_that_is_provisioned() -> None:
    [source] = yaml.safe_load((FOLDER / "provisioning/datasources/prometheus.yml").read_text())["datasources"]
    asked = [panel["datasource"] for panel in PANELS] + [t["datasource"] for panel in PANELS for t in panel["targets"]]
    assert all(found == {"type": source["type"], "uid": source["uid"]} for found in asked)


def test_panels_do_not_overlap() -> None:
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    assert all(at["x"] >= 0 and at["x"] + at["w"] <= COLUMNS for at in places)
    for a, b in itertools.combinations(places, 2):
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        assert beside or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]


def test_panels_ask_for_jobs_that_are_scraped() -> None:
    scraped = yaml.safe_load((FOLDER.parent / "prometheus/prometheus.yml").read_text())["scrape_configs"]
    asked = re.findall(
        r'\bjob=~?"([^"]*)"', " ".join(target["expr"] for panel in PANELS for target in panel["targets"])
    )
    assert asked
    assert {job for one in asked for job in one.split("|")} <= {config["job_name"] for config in scraped}
