"""Breakers: something outside is down, what needs it is held, and one run at a time probes whether it is back."""

from collections.abc import Sequence
from dataclasses import dataclass
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
    await session.execute(
        text(
            # A probe that came upon other trouble says nothing about this one: ask again, not at once.
            "UPDATE breakers SET probe_run = NULL, probe_at = now() + make_interval(secs => :wait)"
            " WHERE probe_run = :run AND key <> :key"
        ),
        {"key": held.key, "run": held.run_id, "wait": probe_seconds},
    )
    await _mark_root(session, held.key, held.cause)


async def open_for_person(session: AsyncSession, key: str, stage: str, cause: str) -> None:
    """Hold a stage until the person has decided something. Never probed: `close` it then."""
    await session.execute(
        text(
            "INSERT INTO breakers (key, stage, cause, probe_at) VALUES (:key, :stage, :cause, 'infinity')"
            " ON CONFLICT (key) DO NOTHING"
        ),
        {"key": key, "stage": stage, "cause": cause},
    )


async def close_after_probe(session: AsyncSession, run_ids: Sequence[UUID]) -> None:
    """These runs were answered with something else than a hold: breakers that they probed are closed."""
    keys = (
        await session.execute(
            text("DELETE FROM breakers WHERE probe_run = ANY(:runs) RETURNING key"), {"runs": list(run_ids)}
        )
    ).scalars()
    for key in keys.all():
        await release(session, key)


async def note_unapplied(session: AsyncSession, run_id: UUID, probe_seconds: float = 60) -> None:
    """What a probe said could not be applied: another one asks, not at once, lest all that wait fail in a row."""
    await session.execute(
        text(
            "UPDATE breakers SET probe_run = NULL, probe_at = now() + make_interval(secs => :wait)"
            " WHERE probe_run = :run"
        ),
        {"run": run_id, "wait": probe_seconds},
    )


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
    """Not online where another root is by now: two drives take turns at one mount point."""
    if key.startswith("root:"):
        await session.execute(
            text(
                "UPDATE roots SET state = :state, problem = :problem WHERE id = :id AND state <> :state"
                " AND (:state = 'offline' OR NOT EXISTS (SELECT 1 FROM roots other"
                " WHERE other.path = roots.path AND other.state = 'online'))"
            ),
            {"id": int(key.removeprefix("root:")), "state": "offline" if problem else "online", "problem": problem},
        )


@dataclass(frozen=True)
class Shut:
    """What of a stage open breakers keep back: all of it, or the runs behind these gates."""

    is_all: bool
    gates: tuple[str, ...]


def shut_for(stage: str, breakers: Sequence[Breaker]) -> Shut:
    keys = [breaker.key for breaker in breakers if breaker.stage == stage]
    gates = tuple(key for key in keys if key.startswith("root:"))
    return Shut(is_all=len(gates) < len(keys), gates=gates)


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


async def begin_probe(
    session: AsyncSession, key: str, now: datetime, running: Sequence[str], paused: Sequence[int]
) -> int | None:
    """The id of the held run that probes this breaker from now on, if one should: of the stages that are `running`,
    and of no `paused` import. A probe that is not out any more,
    because it was never published, cancelled or superseded, is replaced. Waits for nobody's locks."""
    due = await session.execute(
        text(
            "SELECT key FROM breakers WHERE key = :key AND probe_at <= :now AND NOT EXISTS (SELECT 1 FROM stage_runs"
            " WHERE run_id = breakers.probe_run AND state IN ('published', 'retrying'))"
            # While the person is to decide about the stage nothing of it goes out, probes neither.
            " AND NOT EXISTS (SELECT 1 FROM breakers AS other WHERE other.stage = breakers.stage"
            " AND other.probe_at = 'infinity') FOR UPDATE SKIP LOCKED"
        ),
        {"key": key, "now": now},
    )
    if due.first() is None:
        return None
    held = await session.execute(
        text(
            "SELECT id, run_id FROM stage_runs WHERE state = 'held' AND hold_key = :key"
            " AND stage = ANY(:running) AND coalesce(import_id, 0) <> ALL(:paused)"
            # Whoever probed last is the last to probe again: no single one can keep the others waiting.
            " ORDER BY priority, queued_at, id LIMIT 1 FOR UPDATE SKIP LOCKED"
        ),
        {"key": key, "running": list(running), "paused": list(paused)},
    )
    if (run := held.first()) is None:
        return None
    await session.execute(
        text("UPDATE breakers SET probe_run = :run WHERE key = :key"), {"key": key, "run": run.run_id}
    )
    probe: int = run.id
    return probe
