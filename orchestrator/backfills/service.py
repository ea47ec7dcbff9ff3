"""Beginning, pausing, going on with and cancelling a backfill."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator import breakers, events, identity_lock
from orchestrator.answers import Refused
from orchestrator.backfills import wishes
from orchestrator.backfills.kinds import Kind
from orchestrator.embedding import service as embedding
from orchestrator.models import Backfill, Json
from shared.bucket_address import BucketAddress

_OPEN = ("running", "paused")


async def begin(
    session: AsyncSession,
    kind: Kind,
    where: Sequence[str],
    source: Path | BucketAddress | None,
    *,
    describer: str,
    from_start: bool = False,
) -> Backfill:
    """Start what is wished for, or go on with it if the same was wished for before and did not come to its end: nothing
    is done twice, unless that is asked for. Refused when a condition or the folder is not known."""
    wish = await wishes.wish(session, wishes.checked(kind, where), source)
    wish |= {"made_by": await _maker(session, kind, describer)}
    ended = None if from_start else _to_go_on_with(await _newest(session, kind, wish), wish)
    begun = ended or Backfill(kind=kind, wish=wish, last_id=0, total=0)
    left = await _count_left(session, begun, wish)  # before the lock: it takes a while in a large archive
    await identity_lock.take(session)  # of two that wish for the same at once, one begins
    known = await _newest(session, kind, wish)
    if known is not None and known.state in _OPEN:
        if not from_start:
            await resume(session, known.id)
            return known
        await cancel(session, known.id)
    begun.wish, begun.last_id = wish, await session.scalar(text("SELECT coalesce(max(id), 0) FROM photos")) or 0
    begun.total = begun.done + begun.failed + begun.skipped + left
    begun.state, begun.finished_at = ("running", None) if left else ("done", datetime.now(UTC))
    session.add(begun)
    await session.flush()
    await events.record(session, events.STAGES, [])
    return begun


async def _newest(session: AsyncSession, kind: Kind, wish: Json) -> Backfill | None:
    """The open one of the same words, else the last of them."""
    of_kind = select(Backfill).where(col(Backfill.kind) == kind).execution_options(populate_existing=True)
    found = await session.scalars(of_kind.order_by(col(Backfill.state).in_(_OPEN).desc(), col(Backfill.id).desc()))
    asked = (wish["where"], wish.get("source"))
    return next((one for one in found if (one.wish["where"], one.wish.get("source")) == asked), None)


async def _maker(session: AsyncSession, kind: Kind, describer: str) -> str | None:
    """The model that makes it now."""
    return {"embed": await embedding.newest(session), "curate": describer}.get(kind)


def _to_go_on_with(known: Backfill | None, wish: Json) -> Backfill | None:
    """One that was cancelled on its way. What is missing is looked for from the start: what was made is not missing.
    So is what another model made until then."""
    is_same = known is not None and known.wish.get("made_by", wish["made_by"]) == wish["made_by"]
    return known if known and is_same and known.state == "cancelled" and "missing" not in wish["where"] else None


async def _count_left(session: AsyncSession, backfill: Backfill, wish: Json) -> int:
    """The photos of the wish that it has not come past."""
    which = await wishes.which(session, backfill.kind, wish)  # type: ignore[arg-type]  # a column is a str
    counting = text(f"SELECT count(*) FROM photos p WHERE p.id > :cursor AND {which.sql}")
    return int(await session.scalar(counting, {**which.values, "cursor": backfill.cursor}) or 0)


async def pause(session: AsyncSession, backfill_id: int) -> None:
    """Nothing more of it is begun; what workers have is finished."""
    if await _move(session, backfill_id, "running", "paused"):
        await session.execute(_HOLD, {"id": backfill_id, "key": hold_key(backfill_id)})


async def resume(session: AsyncSession, backfill_id: int) -> None:
    if await _move(session, backfill_id, "paused", "running"):
        await breakers.release(session, hold_key(backfill_id))


async def cancel(session: AsyncSession, backfill_id: int) -> None:
    """What is done stays. Requests that nobody works on yet give way to what was there before them."""
    await identity_lock.take(session)
    if await _move(session, backfill_id, "running", "cancelled") or await _move(
        session, backfill_id, "paused", "cancelled"
    ):
        for statement in (_STEP_BACK, _PUT_BACK, _TAKE_BACK, _FORGET, _DATE_END):
            await session.execute(statement, {"id": backfill_id})


def hold_key(backfill_id: int) -> str:
    """What the queued requests of a paused backfill wait behind; no breaker has this key, so nothing probes."""
    return f"backfill:{backfill_id}"


async def _move(session: AsyncSession, backfill_id: int, before: str, after: str) -> bool:
    """Whether it was in that state. Refused when there is no such backfill."""
    state = await session.scalar(text("SELECT state FROM backfills WHERE id = :id FOR UPDATE"), {"id": backfill_id})
    if state is None:
        raise unknown()
    if state != before:
        return False
    await session.execute(
        text("UPDATE backfills SET state = :after WHERE id = :id"), {"id": backfill_id, "after": after}
    )
    await events.record(session, events.STAGES, [])
    return True


def unknown() -> Refused:
    return Refused(404, "unknown_backfill", "There is no backfill with this number.")


# Who holds a run here publishes or answers it.
_HOLD = text(
    """
    UPDATE stage_runs SET state = 'held', hold_key = :key WHERE id IN (
      SELECT r.id FROM stage_runs r JOIN backfill_items i ON i.run_id = r.run_id
      WHERE i.backfill_id = :id AND r.state = 'queued' FOR UPDATE OF r SKIP LOCKED)
    """
)
# What nobody had begun is begun should it go on once more.
_STEP_BACK = text(
    """
    UPDATE backfills SET cursor = least(cursor, (SELECT min(i.photo_id) - 1 FROM backfill_items i
      JOIN stage_runs r ON r.run_id = i.run_id WHERE i.backfill_id = :id AND r.state IN ('queued', 'held')))
    WHERE id = :id
    """
)
_PUT_BACK = text(
    """
    UPDATE stage_runs AS r SET run_id = b.run_id, trace_id = b.trace_id, request = b.request, state = b.state,
      attempt = b.attempt, priority = b.priority, gate = b.gate, hold_key = b.hold_key, error_type = b.error_type,
      error = b.error, queued_at = b.queued_at, published_at = b.published_at, finished_at = b.finished_at
    FROM (SELECT i.run_id AS given, (jsonb_populate_record(NULL::stage_runs, i.before)).* FROM backfill_items i
      WHERE backfill_id = :id AND before <> '{}') AS b
    WHERE r.run_id = b.given AND r.state IN ('queued', 'held')
    """
)
_TAKE_BACK = text(
    """
    DELETE FROM stage_runs AS r USING backfill_items i
    WHERE i.backfill_id = :id AND r.run_id = i.run_id AND before = '{}' AND r.state IN ('queued', 'held')
    """
)
_FORGET = text("DELETE FROM backfill_items WHERE backfill_id = :id")
_DATE_END = text("UPDATE backfills SET finished_at = now() WHERE id = :id")
