"""The files of deploy/metrics. That every name they ask for exists is tested with the services that run."""

import re

import pytest
import yaml

from deploy.test.compose_file import load
from tests import monitoring

SEVERITIES = {"info", "warning", "critical"}


@pytest.mark.parametrize("rule", monitoring.alert_rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_what_is_wrong_and_what_to_do(rule: dict[str, object]) -> None:
    assert set(rule) - {"for"} == {"alert", "expr", "labels", "annotations"}
    assert rule["labels"]["severity"] in SEVERITIES  # type: ignore[index]
    assert set(rule["annotations"]) == {"summary", "do"}  # type: ignore[call-overload]


def test_what_is_alike_on_every_orchestrator_is_never_added_up() -> None:
    """`sum(max by (...) (...))` adds stages, not orchestrators."""
    panels = [panel for dashboard in monitoring.dashboards() for panel in dashboard["panels"]]
    queries = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    queries += [rule["expr"] for rule in monitoring.alert_rules()]
    asked = [query for query in queries if "keepers_archive_" in query and "absent(" not in query]
    assert asked
    for query in asked:
        assert re.search(r"max( by \([\w, ]+\))? ?\(keepers_archive_", query), query


def test_the_panels_have_places_of_their_own_and_one_source() -> None:
    (dashboard,) = monitoring.dashboards()
    places = [tuple(panel["gridPos"][side] for side in "xy") for panel in dashboard["panels"]]
    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(places)
    sources = yaml.safe_load((monitoring.FOLDER / "grafana/provisioning/datasources/prometheus.yml").read_text())
    (uid,) = (source["uid"] for source in sources["datasources"])
    assert {panel["datasource"]["uid"] for panel in dashboard["panels"] if panel["type"] != "row"} == {uid}


def test_prometheus_reads_the_alerts_and_asks_both_services() -> None:
    config = yaml.safe_load((monitoring.FOLDER / "prometheus.yml").read_text())
    assert [(monitoring.FOLDER / name).is_file() for name in config["rule_files"]] == [True]
    jobs = {job["job_name"] for job in config["scrape_configs"]}
    named = set(re.findall(r'job="([\w-]+)"', (monitoring.FOLDER / "alerts.yml").read_text()))
    assert named <= jobs


def test_grafana_finds_its_dashboards_and_prometheus() -> None:
    services = load({"RABBITMQ_PASSWORD": "a", "POSTGRES_PASSWORD": "b", "PHOTO_LIBRARY": "/photos"})["services"]
    provisioning = monitoring.FOLDER / "grafana/provisioning"
    (provider,) = yaml.safe_load((provisioning / "dashboards/keepers.yml").read_text())["providers"]
    mounts = dict(one.split(":")[:2] for one in services["grafana"]["volumes"])
    assert mounts["./deploy/metrics/grafana/dashboards"] == provider["options"]["path"]
    (source,) = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text())["datasources"]
    assert source["url"].removeprefix("http://").partition(":")[0] in services
