"""What this process counts and measures: of several orchestrators each has its own, to be added up.

Labels are stages, routes and words of ours: never a photo, a path or an address.
"""

from collections.abc import Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

disable_created_metrics()  # type: ignore[no-untyped-call]  # it ships no types here
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)

RESULTS = Counter(
    "keepers_orchestrator_results",
    "Answers of workers taken in, by what became of them: done, failed, retrying, held, stale, unapplied",
    ["stage", "outcome"],
    registry=REGISTRY,
)
APPLY_SECONDS = Histogram(
    "keepers_orchestrator_apply_seconds",
    "Taking in a batch of answers, from its first look at the database to the commit",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)
OUTBOX_WAIT_SECONDS = Histogram(
    "keepers_orchestrator_outbox_wait_seconds",
    "How long a request had waited in the outbox when it was published",
    ["stage"],
    buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 4 * 3_600, 24 * 3_600),
    registry=REGISTRY,
)
PHOTO_AGE_SECONDS = Histogram(
    "keepers_orchestrator_photo_age_seconds",
    "From the scan that found a photo until the gallery shows it",
    buckets=(1, 2, 5, 10, 30, 60, 300, 900, 3_600, 4 * 3_600, 24 * 3_600),
    registry=REGISTRY,
)
LETTERS = Counter(
    "keepers_orchestrator_dead_letters",
    "Dead letters filed, by the stage of their message",
    ["stage"],
    registry=REGISTRY,
)
HTTP_SECONDS = Histogram(
    "keepers_orchestrator_http_seconds",
    "Answering an HTTP request to its last byte, by the template of its route; without event streams",
    ["method", "route", "status"],
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    registry=REGISTRY,
)


def begin(stages: Sequence[str]) -> None:
    """All of these stages at zero: a count that appears with its first answer would seem not to have risen."""
    for stage in stages:
        LETTERS.labels(stage)
        OUTBOX_WAIT_SECONDS.labels(stage)
        for outcome in ("done", "failed", "retrying", "held"):
            RESULTS.labels(stage, outcome)
