"""The dashboard's queries as recording rules, which promtool can parse."""

import json
import sys
from pathlib import Path

import yaml

DASHBOARD = Path(__file__).parents[2] / "deploy/grafana/hfts.json"


def rules_of(dashboard: Path) -> str:
    """One rule a query; what Grafana fills in is filled in."""
    queries = [
        target["expr"].replace("$__rate_interval", "1m")
        for panel in json.loads(dashboard.read_text())["panels"]
        for target in panel.get("targets", [])
    ]
    # Rules of equal names with equal queries would be duplicates.
    rules = [{"record": f"dashboard:query{number}", "expr": query} for number, query in enumerate(queries)]
    return yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]})


if __name__ == "__main__":
    sys.stdout.write(rules_of(DASHBOARD))
