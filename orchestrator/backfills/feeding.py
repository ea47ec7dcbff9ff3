"""Putting the photos of backfills into the outbox, some at a time, and counting what became of them. Where it is
stands in the database, so it goes on after a restart, and nothing is queued twice."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator import events, identity_lock
from orchestrator.backfills import wishes
from orchestrator.backfills.kinds import WORK
from orchestrator.db import Sessions, is_passing_trouble
from orchestrator.models import Backfill

log = structlog.get_logger()

BUSY_SECONDS, IDLE_SECONDS = 0.2, 1.0


@dataclass(frozen=True)
class Portion:
    """How many photos of one backfill are in work at most, are queued in one transaction, and, where few are wanted,
    are looked through in one. Enough in work for many workers, and few to hold when it is paused."""

    in_work: int = 1_000
    at_once: int = 500
    looked_at: int = 20_000


async def keep_feeding(sessions: Sessions, wake: Callable[[], None]) -> None:
    """Until cancelled. `wake` is called when something was queued. Two of these may run at once."""
    while True:
        moved = False
        try:
            moved = await feed_all(sessions)
        except Exception as exc:  # whatever it is, it is tried again
            log.warning("backfills.failed", error=str(exc), exc_info=not is_passing_trouble(exc))
        if moved:
            wake()
        await asyncio.sleep(BUSY_SECONDS if moved else IDLE_SECONDS)


async def feed_all(sessions: Sessions, portion: Portion = Portion()) -> bool:
    """One step of each open backfill. Whether any of them moved. One that fails keeps no other from going on."""
    async with sessions() as session:
        rows = await session.scalars(text("SELECT id FROM backfills WHERE state IN ('running', 'paused') ORDER BY id"))
        open_ones = rows.all()
    moved, errors = False, list[Exception]()
    for id_ in open_ones:
        try:
            async with sessions.begin() as session:
                moved |= await _step(session, id_, portion)
        except Exception as exc:
            errors.append(exc)
    if errors:
        raise errors[0]
    return moved


async def _step(session: AsyncSession, backfill_id: int, portion: Portion) -> bool:
    await identity_lock.take(session)  # nobody else queues or answers runs of these photos
    locked = select(Backfill).where(col(Backfill.id) == backfill_id, col(Backfill.state).in_(["running", "paused"]))
    backfill = (await session.scalars(locked.with_for_update())).one_or_none()
    if backfill is None:
        return False
    before = (backfill.cursor, backfill.done, backfill.failed, backfill.skipped)
    in_work = await _settle(session, backfill)
    if backfill.state == "running":
        room = min(portion.at_once, portion.in_work - in_work)
        in_work += await _queue_next(session, backfill, room, portion.looked_at)
        if not in_work and backfill.cursor >= backfill.last_id:
            await _finish(session, backfill)
    return (backfill.cursor, backfill.done, backfill.failed, backfill.skipped) != before


async def _settle(session: AsyncSession, backfill: Backfill) -> int:
    """Count what was answered. Returns how many are still in work. A run that another one has taken the place of does
    the same work, for an import."""
    ended = await session.execute(_ENDED, {"id": backfill.id})
    counts = Counter(ended.scalars().all())
    backfill.done += counts["done"]
    backfill.failed += counts["failed"]
    backfill.skipped += counts["skipped"]
    left = await session.scalar(
        text("SELECT count(*) FROM backfill_items WHERE backfill_id = :id"), {"id": backfill.id}
    )
    return int(left or 0)


async def _queue_next(session: AsyncSession, backfill: Backfill, room: int, looked_at: int) -> int:
    """Queue up to so many of the next photos. Returns how many."""
    if room <= 0 or backfill.cursor >= backfill.last_id:
        return 0
    work = WORK[backfill.kind]  # type: ignore[index]  # a column is a str
    upto = await session.scalar(_UPTO, {"cursor": backfill.cursor, "last": backfill.last_id, "most": looked_at})
    which = await wishes.which(session, backfill.kind, backfill.wish)  # type: ignore[arg-type]  # the same
    found = await session.execute(
        text(_CANDIDATES.format(which=which.sql)),
        {**which.values, "cursor": backfill.cursor, "upto": upto, "room": room, "worked_by": work.stage},
    )
    candidates = found.all()
    free = [row.id for row in candidates if row.is_free]
    backfill.skipped += len(candidates) - len(free)
    backfill.cursor = candidates[-1].id if len(candidates) == room else upto or backfill.last_id
    if free:
        names = {"id": backfill.id, "ids": free, "stage": work.stage}
        await session.execute(_NOTE, names)
        await work.queue(session, free)
        await session.execute(_NAME_RUNS, names)
    return len(free)


async def _finish(session: AsyncSession, backfill: Backfill) -> None:
    backfill.state = "done"
    backfill.total = backfill.done + backfill.failed + backfill.skipped
    await session.execute(text("UPDATE backfills SET finished_at = now() WHERE id = :id"), {"id": backfill.id})
    await events.record(session, events.STAGES, [])
    log.info("backfills.done", backfill=backfill.id, kind=backfill.kind, photos=backfill.done)


_ENDED = text(
    """
    WITH ended AS (
      SELECT i.photo_id, r.state FROM backfill_items i LEFT JOIN stage_runs r ON r.run_id = i.run_id
      WHERE i.backfill_id = :id AND (r.id IS NULL OR r.state IN ('done', 'failed', 'cancelled'))
    )
    DELETE FROM backfill_items i USING ended WHERE i.backfill_id = :id AND i.photo_id = ended.photo_id
    RETURNING CASE WHEN ended.state IN ('done', 'failed') THEN ended.state ELSE 'skipped' END
    """
)
_UPTO = text(
    "SELECT max(id) FROM (SELECT id FROM photos WHERE id > :cursor AND id <= :last ORDER BY id LIMIT :most) AS next"
)
# Not free: under way already, or on a drive that is not here.
_CANDIDATES = """
SELECT p.id, NOT EXISTS (SELECT 1 FROM stage_runs r WHERE r.stage = :worked_by AND r.subject = p.id::text
    AND r.state IN ('queued', 'published', 'retrying', 'held'))
  AND (:worked_by <> 'convert' OR EXISTS (SELECT 1 FROM roots WHERE roots.id = p.root_id AND roots.state = 'online'))
  AS is_free
FROM photos p WHERE p.id > :cursor AND p.id <= :upto AND {which} ORDER BY p.id LIMIT :room
"""
_NOTE = text(
    """
    INSERT INTO backfill_items (backfill_id, photo_id, run_id, before)
    SELECT :id, photo, gen_random_uuid(), coalesce(to_jsonb(r), '{}')
    FROM unnest(CAST(:ids AS bigint[])) AS photo
    LEFT JOIN stage_runs r ON r.stage = :stage AND r.subject = photo::text
    """
)
# One that could not be queued keeps the id of no run: it is counted as left out.
_NAME_RUNS = text(
    """
    UPDATE backfill_items AS i SET run_id = r.run_id FROM stage_runs r
    WHERE i.backfill_id = :id AND i.photo_id = ANY(:ids) AND r.stage = :stage AND r.subject = i.photo_id::text
      AND r.run_id::text IS DISTINCT FROM before->>'run_id'
    """
)
