"""Which frames of a burst take part, and what follows for it: its size and its best."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator import events

# Of photos. What does not take part stays a member: taking a decision back brings it back.
TAKES_PART = "rejected_at IS NULL AND deleted_at IS NULL AND burst_dissolved_at IS NULL"
# What the person chose goes before the sharpest; a missing score is worst. As in workers.domain.bursts.
_BEST_FIRST = "burst_best_at DESC NULLS LAST, sharpness_score DESC NULLS LAST, captured_at, id"


async def follow_decisions(session: AsyncSession, photo_ids: Sequence[int]) -> None:
    """These photos were rejected, restored, chosen or kept apart: their bursts are brought up to date."""
    rows = await session.execute(
        text("SELECT DISTINCT burst_id FROM photos WHERE id = ANY(:ids) AND burst_id IS NOT NULL"),
        {"ids": list(photo_ids)},
    )
    await refresh(session, list(rows.scalars()))


async def refresh(session: AsyncSession, burst_ids: Sequence[int]) -> None:
    """Size, best and start of these bursts as their frames say now. Pages are told of those that changed."""
    ids = {"ids": sorted(burst_ids)}
    if not ids["ids"]:
        return
    # Two decisions about frames of one burst count one after the other, the second with what the first made true.
    await session.execute(text("SELECT id FROM bursts WHERE id = ANY(:ids) ORDER BY id FOR UPDATE"), ids)
    rows = await session.execute(
        text(
            f"""
            WITH now AS (
              SELECT burst_id, count(*) AS size, min(captured_at) AS started_at,
                (array_agg(id ORDER BY {_BEST_FIRST}))[1] AS best_id
              FROM photos WHERE burst_id = ANY(:ids) AND {TAKES_PART} GROUP BY burst_id)
            UPDATE bursts SET size = coalesce(now.size, 0), best_id = now.best_id,
              started_at = coalesce(now.started_at, bursts.started_at)
            FROM unnest(CAST(:ids AS bigint[])) AS named (id) LEFT JOIN now ON now.burst_id = named.id
            WHERE bursts.id = named.id AND (bursts.size, bursts.best_id, bursts.started_at)
              IS DISTINCT FROM (coalesce(now.size, 0), now.best_id, coalesce(now.started_at, bursts.started_at))
            RETURNING bursts.id
            """
        ),
        ids,
    )
    await tell(session, list(rows.scalars()))


async def tell(session: AsyncSession, burst_ids: Sequence[int]) -> None:
    """Pages show these bursts, and their frames, anew."""
    if not burst_ids:
        return
    members = await session.execute(
        text("SELECT id FROM photos WHERE burst_id = ANY(:ids) AND deleted_at IS NULL ORDER BY id"),
        {"ids": list(burst_ids)},
    )
    await events.record(session, events.PHOTOS, list(members.scalars()))
    await events.record(session, events.BURSTS, list(burst_ids))
