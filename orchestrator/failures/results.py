"""Recording failures. Nothing here can roll back a result."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.imports import items
from orchestrator.models import StageRun
from shared.contracts import storable_json
from shared.contracts.answers import Failed
from shared.topology import ONE_AT_A_TIME

log = structlog.get_logger()

_STATUSES = 1_000  # of HTTP, all below

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
            "detail": as_json(answer.failure.model_dump(mode="json", exclude={"error_type", "message"})),
        }
        logged += await log_attempt(session, row)
    return logged


async def log_attempt(session: AsyncSession, row: dict[str, object]) -> list[int]:
    """The id of its row; nothing when it is there already, or cannot be written."""
    try:
        async with session.begin_nested():
            return list((await session.execute(_LOG, row)).scalars())
    except SQLAlchemyError:
        log.exception("failures.not_logged", run_id=str(row["run_id"]), attempt=row["attempt"])
        return []


async def name_dead_letters(session: AsyncSession, answers: Sequence[Failed]) -> None:
    """A letter may arrive before the answer that says what was wrong."""
    for answer in answers:
        await session.execute(
            text(
                "UPDATE dead_letters SET error_type = :error_type, message = :message, status = :status"
                " WHERE run_id = :run_id AND reason = 'rejected'"
            ),
            {
                "run_id": answer.run_id,
                "error_type": answer.failure.error_type,
                "message": answer.failure.message,
                "status": status_of(answer.failure.model_dump(include={"upstream"})) or 0,
            },
        )


async def resolve(session: AsyncSession, run_ids: Sequence[UUID]) -> None:
    """These runs are done: letters about them, or about the runs they replaced, need nobody any more. A stage that
    looks at the whole archive has by now seen what an earlier run of it failed on."""
    # One statement for each index: with an OR between them every open letter would be looked at for every batch.
    for same in (
        "letter.run_id = done.run_id",
        "letter.stage = done.stage AND letter.photo_id = done.photo_id",
        "letter.stage = done.stage AND letter.subject IS NOT NULL"
        " AND (letter.subject = done.subject OR done.stage = ANY(:alone))",
    ):
        await session.execute(
            text(
                "UPDATE dead_letters AS letter SET state = 'resolved' FROM stage_runs AS done"
                f" WHERE done.run_id = ANY(:runs) AND {same} AND letter.state <> 'resolved'"
            ),
            {"runs": list(run_ids), **({"alone": list(ONE_AT_A_TIME)} if ":alone" in same else {})},
        )


async def fail_run(session: AsyncSession, run_id: UUID, error_type: str, sentence: str) -> None:
    """Unless it has ended already."""
    rows = await session.execute(
        text(
            "UPDATE stage_runs SET state = 'failed', error_type = :error_type, error = :error, finished_at = now()"
            " WHERE run_id = :run_id AND state NOT IN ('done', 'failed', 'cancelled') RETURNING stage, photo_id"
        ),
        {"run_id": run_id, "error_type": error_type, "error": sentence},
    )
    for stage, photo_id in rows.all():
        if stage == "convert" and photo_id is not None:
            await items.settle(session, {photo_id: ("failed", sentence)})


def as_json(value: Any) -> str:  # Any: JSON, or AMQP values that become text
    """JSON without what PostgreSQL's jsonb refuses: NUL and lone surrogates."""
    return json.dumps(storable_json(value))


def status_of(detail: Mapping[str, Any]) -> int | None:  # Any: JSON
    """What a service that was called answered, if the detail of a failure says so."""
    upstream = detail.get("upstream")
    status = upstream.get("status_code") if isinstance(upstream, dict) else None
    return status if isinstance(status, int) and 0 < status < _STATUSES else None
