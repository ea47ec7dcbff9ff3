"""One line and one set of counts for each message that is settled."""

import structlog

from shared import trace
from workers import metrics
from workers.runner import Delivery, Outcome

log = structlog.get_logger()


def settled(stage: str, delivery: Delivery, outcome: Outcome, publish_seconds: float) -> None:
    """The broker has confirmed what follows from this message."""
    account = outcome.account
    metrics.FETCH_SECONDS.labels(stage).observe(account.fetch_seconds)
    metrics.WORK_SECONDS.labels(stage).observe(account.work_seconds)
    metrics.PUBLISH_SECONDS.labels(stage).observe(publish_seconds)
    metrics.MESSAGES.labels(stage, account.verdict).inc()
    metrics.ATTEMPTS.labels(stage, metrics.attempt_label(delivery.attempt)).inc()
    say = log.info if account.verdict == "done" else log.warning
    trace_id = trace.parse(delivery.traceparent)
    say(
        f"stage.{account.verdict}",
        stage=stage,
        run_id=str(delivery.run_id),
        attempt=delivery.attempt,
        photo_id=account.photo_id,
        correlation_id=delivery.correlation_id,
        trace_id=trace_id.hex if trace_id else None,
        fetch_ms=round(account.fetch_seconds * 1000, 1),
        work_ms=round(account.work_seconds * 1000, 1),
        publish_ms=round(publish_seconds * 1000, 1),
        **account.trouble,
    )
