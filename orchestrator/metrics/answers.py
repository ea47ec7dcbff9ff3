"""A count for each answer of a worker that was taken in, and a line for those that are not simply done."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

import structlog

from orchestrator.broker import Incoming
from orchestrator.metrics.instruments import APPLY_SECONDS, RESULTS
from orchestrator.models import StageRun
from shared import trace
from shared.contracts.answers import Done, Failed, Held

log = structlog.get_logger()

UNKNOWN = "unknown"  # what an answer to no run of ours says about its stage is not believed


class Settled(NamedTuple):
    """What became of an answer, and where the time of its message went."""

    stage: str
    outcome: str
    run_id: str
    attempt: int
    correlation_id: str | None
    trace_id: str | None
    photo_id: int | None = None
    outbox_ms: int | None = None  # from its request until it was published
    away_ms: int | None = None  # with broker and worker


def settled(answer: Done | Failed | Held, raw: Incoming, run: StageRun | None, *, is_stale: bool) -> Settled:
    """To be asked before the run changes."""
    trace_id = trace_of(raw)
    queued, published = (run.queued_at, run.published_at) if run else (None, None)
    return Settled(
        run.stage if run else UNKNOWN,
        "stale" if is_stale else _outcome(answer),
        str(answer.run_id),
        answer.attempt,
        raw.correlation_id,
        trace_id.hex if trace_id else None,
        run.photo_id if run else None,
        _ms(queued, published),
        _ms(published, datetime.now(UTC)),
    )


def _outcome(answer: Done | Failed | Held) -> str:
    if isinstance(answer, Failed):
        return "failed" if answer.final else "retrying"
    return "done" if isinstance(answer, Done) else "held"


def trace_of(raw: Incoming) -> UUID | None:
    return trace.parse(raw.headers.get("traceparent"))


def report(taken_in: Sequence[Settled], seconds: float) -> None:
    """They are committed, together, in so many seconds."""
    APPLY_SECONDS.observe(seconds)
    apply_ms = round(seconds * 1000 / max(1, len(taken_in)), 1)
    for (stage, outcome), count in Counter((one.stage, one.outcome) for one in taken_in).items():
        RESULTS.labels(stage, outcome).inc(count)
    for one in taken_in:
        if one.outcome == "done":  # the worker has said so, with where the time went; a line costs as much as a query
            continue
        log.info("results.stale" if one.outcome == "stale" else "results.applied", **one._asdict(), apply_ms=apply_ms)


def report_unapplied(raw: Incoming, error: Exception) -> None:
    """It is kept as a dead letter."""
    trace_id = trace_of(raw)
    RESULTS.labels(UNKNOWN, "unapplied").inc()
    log.warning(
        "results.unapplied",
        run_id=raw.message_id,
        correlation_id=raw.correlation_id,
        trace_id=trace_id.hex if trace_id else None,
        error_type=type(error).__name__,
    )


def _ms(start: datetime | None, end: datetime | None) -> int | None:
    """Two clocks may disagree a little: never below 0."""
    return max(0, round((end - start).total_seconds() * 1000)) if start and end else None
