"""What became of the files an import found. An item changes in the transaction that makes it true."""

from collections.abc import Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator import events
from orchestrator.models import StageRun


async def settle(session: AsyncSession, outcomes: Mapping[int, tuple[str, str | None]]) -> None:
    """Photo id -> (done | damaged | skipped | failed, why). Settles what waits for these photos, in every import;
    a failed item of a photo that now passes is settled too."""
    if not outcomes:
        return
    rows = await session.execute(
        text(
            "UPDATE import_items SET state = new.state, reason = new.reason, changed_at = now()"
            " FROM unnest(CAST(:photos AS bigint[]), CAST(:states AS text[]), CAST(:reasons AS text[]))"
            " AS new (photo, state, reason)"
            " WHERE import_items.photo_id = new.photo AND (import_items.state = 'pending'"
            " OR import_items.state = 'failed' AND new.state IN ('done', 'damaged')) RETURNING import_id"
        ),
        {
            "photos": list(outcomes),
            "states": [state for state, _ in outcomes.values()],
            "reasons": [reason for _, reason in outcomes.values()],
        },
    )
    await note_progress(session, sorted(set(rows.scalars())))


async def count(session: AsyncSession, import_id: int) -> int:
    rows = await session.execute(text("SELECT count(*) FROM import_items WHERE import_id = :id"), {"id": import_id})
    return int(rows.scalar_one())


async def settle_failed(session: AsyncSession, runs: Sequence[StageRun]) -> None:
    """These runs have failed for good. Only a photo that could not be converted fails its import item."""
    converts = [run for run in runs if run.stage == "convert" and run.photo_id is not None]
    await settle(session, {run.photo_id: ("failed", run.error) for run in converts if run.photo_id})


async def reopen(session: AsyncSession, photo_ids: Sequence[int]) -> None:
    """These photos are converted again: their failed items wait once more."""
    rows = await session.execute(
        text(
            "UPDATE import_items SET state = 'pending', reason = NULL, changed_at = now()"
            " WHERE photo_id = ANY(:photos) AND state = 'failed' RETURNING import_id"
        ),
        {"photos": list(photo_ids)},
    )
    await note_progress(session, sorted(set(rows.scalars())))


async def note_progress(session: AsyncSession, import_ids: Sequence[int]) -> None:
    """Tell the pages, and date the end of imports that have nothing left to do."""
    if not import_ids:
        return
    await session.execute(
        text(
            """
            UPDATE imports SET finished_at = CASE WHEN left_over.n = 0 THEN coalesce(finished_at, now()) END
            FROM (SELECT id, (SELECT coalesce(sum(n), 0) FROM tallies
                  WHERE import_id = imports.id AND kind = 'items' AND state = 'pending') AS n
                  FROM imports WHERE id = ANY(:ids)) AS left_over
            WHERE imports.id = left_over.id AND imports.scanned
              AND (left_over.n = 0) <> (imports.finished_at IS NOT NULL)
            """
        ),
        {"ids": list(import_ids)},
    )
    await events.record(session, events.IMPORTS, list(import_ids))
