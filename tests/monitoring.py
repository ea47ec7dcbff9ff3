"""What deploy/metrics asks Prometheus for."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[1] / "deploy" / "metrics"
_NAMES = re.compile(r"\b(?:keepers_|process_|up\b)\w*")


def dashboards() -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted((FOLDER / "grafana/dashboards").glob("*.json"))]


def alert_rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def names_in_dashboards() -> frozenset[str]:
    panels = [panel for dashboard in dashboards() for panel in dashboard["panels"]]
    return _names(target["expr"] for panel in panels for target in panel.get("targets", ()))


def names_in_alerts() -> frozenset[str]:
    return _names(rule["expr"] for rule in alert_rules())


def _names(queries: Any) -> frozenset[str]:  # Any: strings, one after the other
    return frozenset(name for query in queries for name in _NAMES.findall(_without_texts(query)))


def _without_texts(query: str) -> str:
    return re.sub(r'"[^"]*"', "", query)
