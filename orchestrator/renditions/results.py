"""Applying what the stage `render` made, and telling the pages that wait for it."""

from collections.abc import Iterable, Sequence
from typing import cast

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator import events
from orchestrator.models import StageRun
from orchestrator.photos import sweeper
from orchestrator.stage_results import Applied
from shared.contracts import render


async def apply(session: AsyncSession, applied: Sequence[Applied]) -> Sequence[int]:
    """Renditions of photos that are still what they were are kept. Nothing follows."""
    for one in applied:
        await _keep(session, cast(render.Result, one.result), one.run.request["preview"])
    await events.record(session, events.RENDITIONS, sorted({one.run.photo_id for one in applied if one.run.photo_id}))
    return []


async def tell_trouble(session: AsyncSession, runs: Iterable[StageRun]) -> None:
    """Those of these that are renditions are not to be waited for now."""
    ids = sorted({run.photo_id for run in runs if run.stage == "render" and run.photo_id})
    if ids:
        await events.record(session, events.RENDITIONS, ids)


async def _keep(session: AsyncSession, result: render.Result, preview: str) -> None:
    """Not one of a photo that was removed or converted from other bytes meanwhile."""
    rows = await session.execute(
        text(
            """
            WITH before AS (SELECT claim FROM renditions WHERE photo_id = :photo AND size = :size),
            kept AS (
              INSERT INTO renditions (photo_id, size, claim, preview, width, height, bytes, source)
              SELECT id, :size, :claim, preview, :width, :height, :bytes, :source FROM photos
              WHERE id = :photo AND preview = :preview AND deleted_at IS NULL
              ON CONFLICT (photo_id, size) DO UPDATE SET claim = excluded.claim, preview = excluded.preview,
                width = excluded.width, height = excluded.height, bytes = excluded.bytes, source = excluded.source,
                used_at = now()
              RETURNING claim)
            SELECT (SELECT claim FROM before), (SELECT claim FROM kept)
            """
        ),
        {
            "photo": result.photo_id,
            "size": result.size,
            "claim": result.rendition,
            "preview": preview,
            "width": result.width,
            "height": result.height,
            "bytes": result.bytes,
            "source": result.source,
        },
    )
    before, kept = rows.one()
    await sweeper.consider(session, [claim for claim in (before, result.rendition) if claim != kept])
