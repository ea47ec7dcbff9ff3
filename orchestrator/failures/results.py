"""Recording failures. Nothing here can roll back a result."""

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator import breakers, events, identity_lock
from orchestrator.broker import Incoming
from orchestrator.db import Sessions
from orchestrator.imports import items
from orchestrator.models import DONE, FAILED, StageRun
from shared.contracts import storable, storable_json
from shared.contracts.answers import Failed
from shared.topology import DELIVERY_LIMIT, Topology

log = structlog.get_logger()

ANSWER_SECONDS = 5.0
ANSWER_POLL_SECONDS = 0.05

_LOG = text(
    """
    INSERT INTO error_logs (run_id, stage, photo_id, import_id, attempt, max_attempts, source, final, error_type,
      message, detail)
    VALUES (:run_id, :stage, :photo_id, :import_id, :attempt, :max_attempts, :source, :final, :error_type,
      :message, CAST(:detail AS jsonb))
    ON CONFLICT (run_id, attempt, source) DO NOTHING RETURNING id
    """
)


async def log_failures(session: AsyncSession, failed: Sequence[tuple[Failed, StageRun]]) -> list[int]:
    """One error-log row per attempt; the ids of the new ones."""
    logged: list[int] = []
    for answer, run in failed:
        row = {
            "run_id": answer.run_id,
            "stage": answer.stage,
            "photo_id": run.photo_id,
            "import_id": run.import_id,
            "attempt": answer.attempt,
            "max_attempts": answer.max_attempts,
            "source": "worker",
            "final": answer.final,
            "error_type": answer.failure.error_type,
            "message": answer.failure.message,
            "detail": _json(answer.failure.model_dump(mode="json", exclude={"error_type", "message"})),
        }
        logged += await _log(session, row)
    return logged


async def _log(session: AsyncSession, row: dict[str, object]) -> list[int]:
    try:
        async with session.begin_nested():
            return list((await session.execute(_LOG, row)).scalars())
    except SQLAlchemyError:
        log.exception("failures.not_logged", run_id=str(row["run_id"]), attempt=row["attempt"])
        return []


async def keep_unapplied(session: AsyncSession, raw: Incoming, error: Exception) -> None:
    """An answer that cannot be applied: kept as it came, and its run fails with the sentence."""
    run_id = _uuid(raw.message_id)
    sentence = f"Keepers could not store what the worker answered: {type(error).__name__}: {_first_line(error)}"
    await _keep(session, run_id, "results", None, "unapplied", "UnappliedResult", sentence, raw, "open")
    if run_id is not None:
        await _fail_run(session, run_id, "UnappliedResult", sentence)
        await breakers.note_unapplied(session, run_id)


async def name_dead_letters(session: AsyncSession, answers: Sequence[Failed]) -> None:
    """A letter may arrive before the answer that says what was wrong."""
    for answer in answers:
        await session.execute(
            text(
                "UPDATE dead_letters SET error_type = :error_type, message = :message"
                " WHERE run_id = :run_id AND reason = 'rejected'"
            ),
            {
                "run_id": answer.run_id,
                "error_type": answer.failure.error_type,
                "message": answer.failure.message,
            },
        )


async def resolve(session: AsyncSession, run_ids: Sequence[UUID]) -> None:
    """These runs are done: letters about them, or about the runs they replaced, need nobody any more."""
    await session.execute(
        text(
            "UPDATE dead_letters SET state = 'resolved' WHERE state IN ('open', 'requeued') AND (run_id = ANY(:runs)"
            " OR (photo_id, stage) IN (SELECT photo_id, stage FROM stage_runs WHERE run_id = ANY(:runs)))"
        ),
        {"runs": list(run_ids)},
    )


class DeadLetterFiler:
    """Called with batches from the `dead-letters` queue; returns when they are committed."""

    def __init__(self, sessions: Sessions, names: Topology) -> None:
        self._sessions = sessions
        self._names = names

    async def file(self, messages: list[Incoming]) -> None:
        await self._let_answers_come_first([message for message in messages if not _worker_died(message)])
        async with self._sessions.begin() as session:
            await identity_lock.take(session)
            for message in messages:
                await self._file(session, message)

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

    async def _file(self, session: AsyncSession, message: Incoming) -> None:
        death = _first_death(message)
        stage = self._names.stage_of(str(death["routing_key"])) or "unknown"
        run_id = _uuid(message.message_id)
        run = await _run(session, run_id)
        if _worker_died(message):
            error_type = "WorkerDied"
            sentence = f"The {stage} worker died on this {DELIVERY_LIMIT + 1} times, so it is left alone."
        elif run is None or run.error is None:
            error_type, sentence = "Undecodable", f"A message on the {stage} queue that Keepers did not publish."
        else:
            error_type, sentence = run.error_type or "Error", run.error
        photo_id = run.photo_id if run else None
        state = "resolved" if run is not None and run.state == DONE else "open"
        await _keep(session, run_id, stage, photo_id, str(death["reason"]), error_type, sentence, message, state)
        if run is not None and run_id is not None and run.state not in (DONE, FAILED):
            await _fail_run(session, run_id, error_type, sentence)
            row = {"run_id": run_id, "stage": stage, "photo_id": photo_id, "import_id": run.import_id}
            row |= {"attempt": run.attempt, "max_attempts": None, "source": "broker", "final": True}
            logged = await _log(session, row | {"error_type": error_type, "message": sentence, "detail": "{}"})
            await events.record(session, events.FAILURES, logged)


async def _run(session: AsyncSession, run_id: UUID | None) -> StageRun | None:
    if run_id is None:
        return None
    return (await session.execute(select(StageRun).where(col(StageRun.run_id) == run_id).with_for_update())).scalar()


async def _fail_run(session: AsyncSession, run_id: UUID, error_type: str, sentence: str) -> None:
    rows = await session.execute(
        text(
            "UPDATE stage_runs SET state = 'failed', error_type = :error_type, error = :error, finished_at = now()"
            " WHERE run_id = :run_id AND state NOT IN ('done', 'failed') RETURNING stage, photo_id"
        ),
        {"run_id": run_id, "error_type": error_type, "error": sentence},
    )
    for stage, photo_id in rows.all():
        if stage == "convert" and photo_id is not None:
            await items.settle(session, {photo_id: ("failed", sentence)})


async def _keep(
    session: AsyncSession,
    run_id: UUID | None,
    stage: str,
    photo_id: int | None,
    reason: str,
    error_type: str,
    sentence: str,
    message: Incoming,
    state: str,
) -> None:
    await session.execute(
        text(
            """
            INSERT INTO dead_letters (run_id, stage, photo_id, reason, error_type, message, body, headers, state)
            VALUES (:run_id, :stage, :photo_id, :reason, :error_type, :message, :body, CAST(:headers AS jsonb), :state)
            ON CONFLICT (run_id) WHERE run_id IS NOT NULL DO UPDATE SET times = dead_letters.times + 1,
              last_at = now(),
              state = CASE WHEN dead_letters.state = 'discarded' THEN 'discarded' ELSE excluded.state END
            """
        ),
        {
            "run_id": run_id,
            "stage": stage,
            "photo_id": photo_id,
            "reason": reason,
            "error_type": error_type,
            "message": storable(sentence),
            "body": message.body,
            "headers": _json(message.headers),
            "state": state,
        },
    )
    if photo_id is not None:  # an earlier letter about the same: this one says how it went on
        await session.execute(
            text(
                "UPDATE dead_letters SET state = 'requeued' WHERE photo_id = :photo AND stage = :stage"
                " AND state = 'open' AND run_id <> :run"
            ),
            {"photo": photo_id, "stage": stage, "run": run_id},
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


def _json(value: Any) -> str:  # Any: JSON, or AMQP values that become text
    """JSON without what PostgreSQL's jsonb refuses: NUL and lone surrogates."""
    return json.dumps(storable_json(value))


def _first_line(error: Exception) -> str:
    return str(storable(next(iter(str(error).splitlines()), "")))
