"""Breakers: something outside is down, what needs it is held, and one run at a time probes whether it is back."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.models import Breaker
from shared.contracts.answers import Held

HOLD_AT_ONCE = 5_000  # rows per relay turn
MAX_DOUBLINGS = 4


async def open_for(session: AsyncSession, held: Held, probe_seconds: float) -> None:
    """Open the breaker of this hold, or note that its probe found the same trouble. `probe_seconds` doubles with
    each failed probe."""
    await session.execute(
        text(
            """
            INSERT INTO breakers (key, stage, cause, probe_at)
            VALUES (:key, :stage, :cause, coalesce(:until, now() + make_interval(secs => :wait)))
            ON CONFLICT (key) DO UPDATE SET cause = excluded.cause,
              probes = breakers.probes + CASE WHEN breakers.probe_run = :run THEN 1 ELSE 0 END,
              probe_at = CASE WHEN breakers.probe_run = :run THEN coalesce(:until,
                now() + make_interval(secs => :wait * power(2, least(breakers.probes, :doublings))))
                ELSE breakers.probe_at END,
              probe_run = nullif(breakers.probe_run, :run)
            """
        ),
        {
            "key": held.key,
            "stage": held.stage,
            "cause": held.cause,
            "until": held.until,
            "wait": probe_seconds,
            "run": held.run_id,
            "doublings": MAX_DOUBLINGS,
        },
    )
    await _mark_root(session, held.key, held.cause)


async def close_after_probe(session: AsyncSession, run_ids: Sequence[UUID]) -> None:
    """These runs were answered with something else than a hold: breakers that they probed are closed."""
    keys = (
        await session.execute(
            text("DELETE FROM breakers WHERE probe_run = ANY(:runs) RETURNING key"), {"runs": list(run_ids)}
        )
    ).scalars()
    for key in keys.all():
        await release(session, key)


async def close(session: AsyncSession, key: str) -> None:
    """What was down is back."""
    await session.execute(text("DELETE FROM breakers WHERE key = :key"), {"key": key})
    await release(session, key)


async def release(session: AsyncSession, key: str) -> None:
    await session.execute(
        text("UPDATE stage_runs SET state = 'queued', hold_key = NULL WHERE state = 'held' AND hold_key = :key"),
        {"key": key},
    )
    await _mark_root(session, key, None)


async def _mark_root(session: AsyncSession, key: str, problem: str | None) -> None:
    if key.startswith("root:"):
        await session.execute(
            text("UPDATE roots SET state = :state, problem = :problem WHERE id = :id AND state <> :state"),
            {"id": int(key.removeprefix("root:")), "state": "offline" if problem else "online", "problem": problem},
        )


async def hold_what_waits(session: AsyncSession, breakers: Sequence[Breaker]) -> int:
    """Mark queued runs behind an open breaker as held, so that pages and counts say so. Returns how many."""
    held = 0
    for breaker in breakers:
        result = await session.execute(
            text(
                """
                UPDATE stage_runs SET state = 'held', hold_key = :key WHERE id IN (
                  SELECT id FROM stage_runs WHERE state = 'queued' AND stage = :stage
                  AND (gate = :key OR :key NOT LIKE 'root:%') LIMIT :limit FOR UPDATE SKIP LOCKED)
                RETURNING id
                """
            ),
            {"key": breaker.key, "stage": breaker.stage, "limit": HOLD_AT_ONCE},
        )
        held += len(result.all())
    return held


async def due_probe(session: AsyncSession, breaker: Breaker, now: datetime, paused: Sequence[int]) -> int | None:
    """The id of the held run that should probe this breaker now, if one should."""
    if breaker.probe_at > now or breaker.probe_run is not None:
        return None
    probe: int | None = (
        await session.execute(
            text(
                "SELECT id FROM stage_runs WHERE state = 'held' AND hold_key = :key"
                " AND coalesce(import_id, 0) <> ALL(:paused) ORDER BY priority, id LIMIT 1"
            ),
            {"key": breaker.key, "paused": list(paused)},
        )
    ).scalar()
    return probe
