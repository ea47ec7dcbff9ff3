"""The state of runs: queued -> published -> retrying -> done | failed | held | cancelled."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import trace
from shared.contracts import Message

# One that was waiting for its next attempt gets that one.
_OUT_AGAIN = "state = 'queued', published_at = NULL, attempt = attempt + CASE state WHEN 'retrying' THEN 1 ELSE 0 END"


@dataclass(frozen=True)
class NewRun:
    """A request of a stage that is to be carried out, for a photo, for a `job` that is about many, or for a `job` that
    is one of several of a photo. Without a `trace_id` it belongs to the trace in hand."""

    stage: str
    photo_id: int | None
    request: Message
    import_id: int | None = None
    gate: str | None = None
    priority: int = 0
    job: str | None = None
    trace_id: UUID | None = None

    @property
    def subject(self) -> str:
        """Of several runs of a stage with the same subject, the newest is in force."""
        return self.job or str(self.photo_id)


def correlation_id(import_id: int) -> str:
    """What everything that is done for an import is logged under."""
    return f"import-{import_id}"


async def queue(session: AsyncSession, runs: Sequence[NewRun]) -> None:
    """Put requests into the outbox, as part of the caller's transaction. A run of the same stage and subject is
    superseded: answers to the older run id are stale from now on."""
    if not runs:
        return
    in_hand = trace.current()
    in_order = sorted(runs, key=lambda run: (run.photo_id or 0, run.subject))
    await session.execute(
        text(
            """
            INSERT INTO stage_runs
              (stage, subject, photo_id, import_id, run_id, trace_id, request, state, attempt, priority, gate)
            SELECT stage, subject, photo_id, import_id, run_id, trace_id, request, 'queued', 1, priority, gate
            FROM jsonb_to_recordset(CAST(:runs AS jsonb)) AS new (stage text, subject text, photo_id bigint,
              import_id bigint, run_id uuid, trace_id uuid, request jsonb, priority smallint, gate text)
            ON CONFLICT (stage, subject) DO UPDATE SET
              run_id = excluded.run_id, trace_id = excluded.trace_id, request = excluded.request,
              state = 'queued', attempt = 1,
              import_id = coalesce(excluded.import_id, stage_runs.import_id), priority = excluded.priority,
              gate = excluded.gate, hold_key = NULL, error = NULL, error_type = NULL,
              queued_at = now(), published_at = NULL, finished_at = NULL
            """
        ),
        {"runs": json.dumps([_row(run, in_hand) for run in in_order])},
    )


def _row(run: NewRun, trace_in_hand: UUID) -> dict[str, object]:
    return {
        "stage": run.stage,
        "subject": run.subject,
        "photo_id": run.photo_id,
        "import_id": run.import_id,
        "run_id": str(uuid4()),
        "trace_id": str(run.trace_id or trace_in_hand),
        "request": run.request.model_dump(mode="json"),
        "priority": run.priority,
        "gate": run.gate,
    }


async def requeue_unanswered(session: AsyncSession) -> int:
    """The broker has lost what it had: put every run that is out back under its own run id. Returns how many."""
    result = await session.execute(
        text(f"UPDATE stage_runs SET {_OUT_AGAIN} WHERE state IN ('published', 'retrying') RETURNING id")
    )
    return len(result.all())


async def requeue_lost(session: AsyncSession, stage: str, older_than_seconds: float) -> int:
    """Put runs that have been out for so long back into the outbox, under their own run ids. Returns how many."""
    result = await session.execute(
        text(
            f"UPDATE stage_runs SET {_OUT_AGAIN}"
            " WHERE stage = :stage AND state IN ('published', 'retrying')"
            " AND published_at < now() - make_interval(secs => :age) RETURNING id"
        ),
        {"stage": stage, "age": older_than_seconds},
    )
    return len(result.all())
