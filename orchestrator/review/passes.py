"""Going through photos one by one: a pass has an order that is frozen when it is opened. No score, no training and no
other tab moves a stop; new photos come after the last one."""

from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.answers import Refused
from orchestrator.db import Sessions
from orchestrator.models import ReviewPass, TasteState
from orchestrator.preferences.views import CullOrder
from orchestrator.review.pass_queries import Kind, newcomers, position, undecided, visible

_OPENING = 0x6B6565707276  # advisory lock: two tabs that open the same pass get one
_PASSES_KEPT = 3  # of a kind: an older one may be open in another tab


async def open_pass(sessions: Sessions, kind: Kind, order: CullOrder) -> tuple[ReviewPass, int]:
    """The pass that is under way, with new photos appended, or a new one; and the place where the person goes on. A
    cull pass of another order is left as it is, for one that goes on with what is undecided."""
    ordering: CullOrder = order if kind == "cull" else "match"
    async with sessions.begin() as session:
        await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _OPENING})
        found = await _newest(session, kind)
        if found is None or found.ordering != ordering or await _is_over(session, found, kind):
            found = ReviewPass(kind=kind, ordering=ordering)
            session.add(found)
            await session.flush()
            await _forget_old(session, kind)
        await _append(session, found, kind)
        return found, await position(session, found, kind)


async def pass_by_id(session: AsyncSession, pass_id: int) -> ReviewPass:
    found = await session.get(ReviewPass, pass_id)
    if found is None:
        raise Refused(404, "unknown_pass", "This pass is over. Open Review again to go on.")
    return found


def kind_of(found: ReviewPass) -> Kind:
    return "cull" if found.kind == "cull" else "rate"


async def _newest(session: AsyncSession, kind: Kind) -> ReviewPass | None:
    query = select(ReviewPass).where(col(ReviewPass.kind) == kind).order_by(col(ReviewPass.id).desc()).limit(1)
    return (await session.scalars(query)).first()


async def _is_over(session: AsyncSession, found: ReviewPass, kind: Kind) -> bool:
    """All of it is decided, and there is more to decide: what is done is not in the way of the next pass."""
    if await position(session, found, kind) <= found.n:
        return False
    more = text(f"SELECT EXISTS (SELECT 1 FROM photos AS p WHERE {visible('p')} AND {undecided(kind, 'p')})")
    return bool(await session.scalar(more))


async def _forget_old(session: AsyncSession, kind: Kind) -> None:
    await session.execute(
        text(
            "DELETE FROM review_passes WHERE kind = :kind AND id NOT IN"
            " (SELECT id FROM review_passes WHERE kind = :kind ORDER BY id DESC LIMIT :kept)"
        ),
        {"kind": kind, "kept": _PASSES_KEPT},
    )


async def _append(session: AsyncSession, found: ReviewPass, kind: Kind) -> None:
    is_trusted = bool((await session.scalars(select(col(TasteState.is_trusted)))).first())
    known: dict[str, Any] = {"pass_id": found.id, "n": found.n}
    if kind == "cull":
        added = await session.scalar(
            _APPEND_TO_CULL,
            known | {"is_by_score": is_trusted and found.ordering == "match", "is_newest": found.ordering == "newest"},
        )
    else:
        added = await session.scalar(_APPEND_TO_RATE, known)
    found.n += added or 0


_INSERT = """
    INSERT INTO review_pass_items (pass_id, place, photo_id, burst_id)
"""
# By default the lowest taste score first, unscored last; in the order of capture while the model is not better than
# guessing.
_APPEND_TO_CULL = text(
    f"""
    WITH added AS ({_INSERT}
      SELECT :pass_id, :n + row_number() OVER (
          ORDER BY CASE WHEN :is_by_score THEN preference_score END NULLS LAST, CASE WHEN :is_newest THEN -id END,
            captured_at NULLS LAST, id), id, burst_id
      FROM ({newcomers("cull")}) AS stops
      RETURNING 1)
    SELECT count(*) FROM added
    """
)
# Those without stars first.
_APPEND_TO_RATE = text(
    f"""
    WITH added AS ({_INSERT}
      SELECT :pass_id, :n + row_number() OVER (ORDER BY user_rating IS NOT NULL, captured_at NULLS LAST, id), id, NULL
      FROM ({newcomers("rate")}) AS stops
      RETURNING 1)
    SELECT count(*) FROM added
    """
)
