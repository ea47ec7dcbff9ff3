"""Filing dead letters: what reached the `dead-letters` queue, and answers that cannot be applied."""

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator import breakers, events, identity_lock
from orchestrator.broker import Incoming
from orchestrator.db import Sessions
from orchestrator.failures.results import as_json, fail_run, log_attempt
from orchestrator.metrics.committed import after_commit
from orchestrator.metrics.instruments import LETTERS
from orchestrator.models import CANCELLED, DONE, FAILED, StageRun
from shared import trace
from shared.contracts import storable
from shared.topology import DELIVERY_LIMIT, Topology

log = structlog.get_logger()

ANSWER_SECONDS = 5.0
ANSWER_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Finding:
    """What a letter is about. `open`: somebody should look at it."""

    stage: str
    error_type: str
    sentence: str
    state: str = "open"


class DeadLetterFiler:
    """Called with batches from the `dead-letters` queue; returns when they are committed."""

    def __init__(self, sessions: Sessions, names: Topology) -> None:
        self._sessions = sessions
        self._names = names

    async def file(self, messages: list[Incoming]) -> None:
        await self._let_answers_come_first([message for message in messages if not _worker_died(message)])
        async with self._sessions.begin() as session:
            await identity_lock.take(session)
            logged = [id_ for message in messages for id_ in await self._file(session, message)]
            await events.record(session, events.FAILURES, logged)

    async def _let_answers_come_first(self, messages: list[Incoming]) -> None:
        """A worker publishes why it rejects before it rejects: give that a moment to be applied, for its sentence
        and its place in the log."""
        run_ids = [run_id for message in messages if (run_id := _uuid(message.message_id))]
        deadline = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline:
            async with self._sessions() as session:
                unanswered = await session.execute(
                    text(
                        "SELECT 1 FROM stage_runs WHERE run_id = ANY(:runs)"
                        " AND state NOT IN ('done', 'failed', 'cancelled')"
                    ),
                    {"runs": run_ids},
                )
                if unanswered.first() is None:
                    return
            await asyncio.sleep(ANSWER_POLL_SECONDS)

    async def _file(self, session: AsyncSession, message: Incoming) -> list[int]:
        """The ids of what was logged about it."""
        death = _first_death(message)
        stage = self._names.stage_of(str(death["routing_key"])) or "unknown"
        run_id = _uuid(message.message_id)
        run = await _run(session, run_id)
        found = _finding(stage, message, run)
        await _keep(session, run_id, run, str(death["reason"]), found, message)
        after_commit(session, partial(_tell, message, stage, found))
        if run is None or run_id is None or run.state in (DONE, FAILED, CANCELLED):
            return []
        await fail_run(session, run_id, found.error_type, found.sentence)
        row = {"run_id": run_id, "stage": stage, "photo_id": run.photo_id, "import_id": run.import_id}
        row |= {"attempt": run.attempt, "max_attempts": None, "source": "broker", "final": True}
        return await log_attempt(
            session, row | {"error_type": found.error_type, "message": found.sentence, "detail": "{}"}
        )


def _tell(message: Incoming, stage: str, found: Finding) -> None:
    LETTERS.labels(stage).inc()
    trace_id = trace.parse(message.headers.get("traceparent"))
    log.warning(
        "dead_letters.filed",
        stage=stage,
        run_id=message.message_id,
        correlation_id=message.correlation_id,
        trace_id=trace_id.hex if trace_id else None,
        error_type=found.error_type,
        state=found.state,
    )


async def keep_unapplied(session: AsyncSession, raw: Incoming, error: Exception) -> None:
    """An answer that cannot be applied: kept as it came, and its run fails with the sentence."""
    run_id = _uuid(raw.message_id)
    run = await _run(session, run_id)
    first_line = str(storable(next(iter(str(error).splitlines()), "")))
    sentence = f"Keepers could not store what the worker answered: {type(error).__name__}: {first_line}"
    await _keep(session, run_id, run, "unapplied", Finding("results", "UnappliedResult", sentence), raw)
    if run_id is not None:
        await fail_run(session, run_id, "UnappliedResult", sentence)
        await breakers.note_unapplied(session, run_id)
    await events.record(session, events.FAILURES, [])


def _finding(stage: str, message: Incoming, run: StageRun | None) -> Finding:
    if run is None and _is_ours(message):
        sentence = f"A newer request took the place of this one while a {stage} worker had it."
        return Finding(stage, "Superseded", sentence, "resolved")
    if run is not None and run.state == CANCELLED:
        return Finding(stage, "Cancelled", f"This was cancelled while a {stage} worker had it.", "resolved")
    state = "resolved" if run is not None and run.state == DONE else "open"
    if _worker_died(message):
        sentence = f"The {stage} worker died on this {DELIVERY_LIMIT + 1} times, so it is left alone."
        return Finding(stage, "WorkerDied", sentence, state)
    if run is None:
        return Finding(stage, "Undecodable", f"A message on the {stage} queue that Keepers did not publish.")
    if run.error is None:
        return Finding(stage, "Unanswered", f"The {stage} worker gave this up and did not say why.", state)
    return Finding(stage, run.error_type or "Error", run.error, state)


def _is_ours(message: Incoming) -> bool:
    """What the relay published names its run in its trace as well, which every retry carries on."""
    run_id = _uuid(message.message_id)
    return run_id is not None and trace.span_of(run_id) in str(message.headers.get("traceparent"))


async def _run(session: AsyncSession, run_id: UUID | None) -> StageRun | None:
    if run_id is None:
        return None
    return (await session.execute(select(StageRun).where(col(StageRun.run_id) == run_id).with_for_update())).scalar()


_STATUS = """coalesce((SELECT (detail->'upstream'->>'status_code')::smallint FROM error_logs WHERE run_id = :run_id
  AND final AND detail->'upstream'->>'status_code' ~ '^[1-9][0-9]{2}$' ORDER BY id DESC LIMIT 1), 0)"""


async def _keep(
    session: AsyncSession, run_id: UUID | None, run: StageRun | None, reason: str, found: Finding, message: Incoming
) -> None:
    """One letter per run: one that was put back and failed again is the same letter, open once more."""
    photo_id = run.photo_id if run else None
    await session.execute(
        text(
            f"""
            INSERT INTO dead_letters (run_id, stage, photo_id, subject, reason, error_type, status, message, body,
              headers, state)
            VALUES (:run_id, :stage, :photo_id, :subject, :reason, :error_type, {_STATUS}, :message, :body,
              CAST(:headers AS jsonb), :state)
            ON CONFLICT (run_id) WHERE run_id IS NOT NULL DO UPDATE SET
              times = dead_letters.times + CASE dead_letters.state WHEN 'requeued' THEN 1 ELSE 0 END,
              last_at = now(), stage = excluded.stage, reason = excluded.reason, error_type = excluded.error_type,
              status = excluded.status, message = excluded.message, body = excluded.body, headers = excluded.headers,
              state = CASE WHEN dead_letters.state = 'discarded' THEN 'discarded' ELSE excluded.state END
            """
        ),
        {
            "run_id": run_id,
            "stage": found.stage,
            "photo_id": photo_id,
            "subject": run.subject if run and photo_id is None else None,
            "reason": reason,
            "error_type": found.error_type,
            "message": storable(found.sentence),
            "body": message.body,
            "headers": as_json(message.headers),
            "state": found.state,
        },
    )
    if run is not None and run_id is not None:
        await _close_earlier(session, run, found.stage)


async def _close_earlier(session: AsyncSession, run: StageRun, stage: str) -> None:
    """Open letters about runs that this one replaced: the new letter says how it went on."""
    column, value = ("subject", run.subject) if run.photo_id is None else ("photo_id", run.photo_id)
    await session.execute(
        text(
            f"UPDATE dead_letters SET state = 'resolved' WHERE {column} = :value AND stage = :stage"
            " AND state IN ('open', 'requeued') AND run_id <> :run"
        ),
        {"value": value, "stage": stage, "run": run.run_id},
    )


def _worker_died(message: Incoming) -> bool:
    return bool(_first_death(message)["reason"] == "delivery_limit")


def _first_death(message: Incoming) -> dict[str, Any]:  # Any: AMQP values
    deaths = message.headers.get("x-death") or [{}]
    keys = deaths[0].get("routing-keys") or [message.routing_key]
    return {"reason": str(deaths[0].get("reason", "rejected")), "routing_key": keys[0]}


def _uuid(value: str | None) -> UUID | None:
    try:
        return UUID(value or "")
    except ValueError:
        return None
