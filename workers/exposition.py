"""`/metrics` of a supervisor and its workers.

Each worker process keeps its counts in files of one folder, under the name of its place: whoever takes the place of one
that died goes on with its counts, so that they never fall and files never pile up.
"""

import tempfile
from collections.abc import Mapping, Sequence

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, disable_created_metrics, start_http_server, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

log = structlog.get_logger()

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # where prometheus_client looks for its folder


class Exposition:
    """Open from the start of the supervisor to its end; serves from a thread of its own."""

    def __init__(self, host: str, port: int) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="keepers-metrics-", ignore_cleanup_errors=True)
        disable_created_metrics()  # type: ignore[no-untyped-call]  # it ships no types here
        registry = CollectorRegistry()
        MultiProcessCollector(registry, self._folder.name)  # type: ignore[no-untyped-call]  # it ships no types here
        self._processes = Gauge(
            "keepers_worker_processes", "Worker processes that are alive", ["stages"], registry=registry
        )
        self._expected = Gauge(
            "keepers_worker_processes_expected", "Worker processes that should be", ["stages"], registry=registry
        )
        self._deaths = Counter(
            "keepers_worker_deaths",
            "Worker processes that ended by themselves, or were ended past their deadline",
            ["stages", "cause"],
            registry=registry,
        )
        self._serve(host, port, registry)

    def _serve(self, host: str, port: int, registry: CollectorRegistry) -> None:
        """A port that is taken costs the figures, not the work."""
        try:
            start_http_server(port, host, registry)
            log.info("metrics.served", host=host, port=port)
        except OSError as exc:
            log.error("metrics.not_served", host=host, port=port, error=str(exc))

    def environment(self) -> Mapping[str, str]:
        """What a worker needs to keep its counts here."""
        return {FOLDER_VARIABLE: self._folder.name}

    def expect(self, stages: Sequence[str], count: int) -> None:
        self._expected.labels(_label(stages)).set(count)
        self._processes.labels(_label(stages)).set(0)
        for cause in ("ended", "overdue"):
            self._deaths.labels(_label(stages), cause)

    def started(self, stages: Sequence[str]) -> None:
        self._processes.labels(_label(stages)).inc()

    def died(self, stages: Sequence[str], place: str, cause: str) -> None:
        """What it counted stays; what it had in work it has no more."""
        self._processes.labels(_label(stages)).dec()
        self._deaths.labels(_label(stages), cause).inc()
        mark_process_dead(place, self._folder.name)  # type: ignore[no-untyped-call]  # it ships no types here

    def close(self) -> None:
        self._folder.cleanup()


def count_as(place: str) -> None:
    """Called by a worker before it counts anything: whose counts it goes on with."""
    values.ValueClass = values.MultiProcessValue(lambda: place)  # type: ignore[no-untyped-call]  # it ships no types


def _label(stages: Sequence[str]) -> str:
    return "+".join(stages)
