"""What the running services tell whoever operates them: logs under one trace, and figures that add up."""

import json
import signal
import socket
from typing import Any

import httpx

from tests.monitoring import names_in_alerts, names_in_dashboards
from tests.scraping import Scrape
from tests.stack import Stack, a_jpeg

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def lines_of(stack: Stack) -> list[dict[str, Any]]:
    """Every line that the services logged. Fails for one that is not JSON."""
    written = stack.log_tail(10_000_000)
    return [json.loads(line) for line in written[: written.rfind("\n") + 1].splitlines()]


def test_everything_about_a_photo_is_logged_under_one_trace_and_one_correlation_id(stack: Stack) -> None:
    stack.environment["LOG_FORMAT"] = "json"
    stack.orchestrator()
    stack.workers("convert")
    a_jpeg(stack.photos / "good.jpg", 1)
    (stack.photos / "broken.jpg").write_bytes(b"no picture at all")
    asked = {"path": str(stack.photos)}
    answer = stack.client.post("/api/imports", json=asked, headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})
    import_id = answer.json()["id"]
    awaited = {("orchestrator", "dead_letters.filed", "convert"), ("worker", "stage.done", "convert")}
    stack.wait(lambda: awaited <= {_what(line) for line in lines_of(stack)}, "both photos to be worked")
    applied = ("orchestrator", "results.applied", "convert")
    stack.wait(lambda: applied in {_what(line) for line in lines_of(stack)}, "the failure to be stored")
    lines = lines_of(stack)
    run_ids = {str(run_id) for (run_id,) in stack.sql("SELECT run_id FROM stage_runs")}
    about = [line for line in lines if line.get("photo_id") or line.get("import_id") or line.get("run_id") in run_ids]
    assert {_what(line) for line in about} >= {
        *awaited,
        ("orchestrator", "imports.started", None),
        ("orchestrator", "imports.scanned", None),
        ("worker", "stage.rejected", "convert"),
        applied,
    }
    assert {(line["trace_id"], line["correlation_id"]) for line in about} == {(TRACE, f"import-{import_id}")}
    (converted,) = (line for line in lines if _what(line) == ("worker", "stage.done", "convert"))
    assert converted["work_ms"] > converted["fetch_ms"] >= 0
    assert converted["publish_ms"] > 0
    assert any(line.get("logger") == "uvicorn.error" for line in lines), "the web server logs in the same form"


def _what(line: dict[str, Any]) -> tuple[str, str, str | None]:
    return line["service"], line["event"], line.get("stage")


def test_figures_outlive_a_killed_worker_and_have_every_name_that_is_asked_for(stack: Stack) -> None:
    port = _a_free_port()
    stack.environment |= {"METRICS_PORT": str(port), "KEEPERS_HOME": str(stack.home)}
    stack.orchestrator()
    workers = stack.workers("convert")
    first, second = a_jpeg(stack.photos / "a" / "1.jpg", 1), a_jpeg(stack.photos / "b" / "2.jpg", 2)
    stack.settled(stack.start_import(first.parent))
    stack.wait(lambda: _scraped(port).value("keepers_worker_messages_total", stage="convert", outcome="done") == 1, "1")
    (child,) = stack.children(workers, "--place convert-0")
    child.send_signal(signal.SIGKILL)
    deaths = {"stages": "convert", "cause": "ended"}
    stack.wait(lambda: _scraped(port).value("keepers_worker_deaths_total", **deaths) == 1, "the death to be noted")
    stack.settled(stack.start_import(second.parent))
    stack.wait(lambda: _scraped(port).value("keepers_worker_messages_total", stage="convert", outcome="done") == 2, "2")
    worker = _scraped(port)
    assert worker.value("keepers_worker_work_seconds_count", stage="convert") == 2
    assert worker.value("keepers_worker_attempts_total", stage="convert", attempt="1") == 2
    assert worker.value("keepers_worker_in_work", stage="convert") == 0
    assert worker.value("keepers_worker_processes", stages="convert") == 1
    assert worker.value("keepers_worker_engine_loads_total", engine="decoder") == 2
    backups = stack.home / "backups"
    backups.mkdir(exist_ok=True)
    (backups / "keepers-2024-11-22-080000-asked.zip").touch()
    orchestrator = stack.wait(lambda: _with_queues(stack), "the queues to be looked at")
    assert orchestrator.value("keepers_orchestrator_photo_age_seconds_count") == 2
    assert orchestrator.value("keepers_archive_runs", stage="convert", state="done") == 2
    assert orchestrator.value("keepers_orchestrator_leads") == 1
    asked_for = names_in_dashboards() | names_in_alerts()
    assert asked_for - {"up"} <= worker.queryable | orchestrator.queryable


def _with_queues(stack: Stack) -> Scrape | None:
    scrape = Scrape(stack.client.get("/metrics").text)
    return scrape if scrape.value("keepers_archive_queue_consumers", queue="stage.convert") == 1 else None


def _scraped(port: int) -> Scrape:
    return Scrape(httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=60).text)


def _a_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def test_a_metrics_port_that_is_taken_costs_the_figures_and_not_the_work(stack: Stack) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        stack.environment["METRICS_PORT"] = str(taken.getsockname()[1])
        stack.orchestrator()
        stack.workers("convert")
        a_jpeg(stack.photos / "1.jpg", 1)
        assert stack.settled(stack.start_import())["done"] == 1
    assert "metrics.not_served" in stack.log_tail()
