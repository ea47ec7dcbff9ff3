"""Requeueing dead letters: a new run id, a new message from the stored request, none of the old headers."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator import events, identity_lock
from orchestrator.answers import Refused
from orchestrator.imports import items


async def requeue(session: AsyncSession, letter_ids: Sequence[int]) -> int:
    """Try these again from the first attempt. Returns how many were; Refused when there is none to try."""
    await identity_lock.take(session)
    rows = await session.execute(
        text(
            """
            WITH letters AS (
              SELECT id, run_id FROM dead_letters WHERE id = ANY(:letters) AND state = 'open' FOR UPDATE
            ), again AS (
              UPDATE stage_runs SET run_id = gen_random_uuid(), state = 'queued', attempt = 1, error = NULL,
                error_type = NULL, queued_at = now(), published_at = NULL, finished_at = NULL
              FROM letters WHERE stage_runs.run_id = letters.run_id AND state = 'failed'
              RETURNING letters.id, stage, photo_id
            )
            UPDATE dead_letters SET state = 'requeued', last_at = now() FROM again WHERE dead_letters.id = again.id
            RETURNING again.stage, again.photo_id
            """
        ),
        {"letters": list(letter_ids)},
    )
    requeued = rows.all()
    if not requeued:
        raise Refused(409, "not_requeueable", "There is nothing to try again: its photo is gone, done or waiting.")
    photo_ids = [photo_id for _, photo_id in requeued if photo_id is not None]
    await items.reopen(session, [photo_id for stage, photo_id in requeued if stage == "convert" and photo_id])
    await events.record(session, events.PHOTOS, photo_ids)
    await events.record(session, events.FAILURES, [])
    return len(requeued)
