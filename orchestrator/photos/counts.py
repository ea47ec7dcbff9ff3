"""How many photos each filter shows, of the archive or of what narrows it. Counting is O(photos) even from an index
alone: see `resting` for how often that is done."""

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.db import Sessions
from orchestrator.live import Live
from orchestrator.models import Photo
from orchestrator.photos.resting import Resting
from orchestrator.photos.selection import (
    LEAST_FOR_PROJECTS,
    Selection,
    conditions,
    informed,
    is_narrowed,
    named_elsewhere,
    of_filter,
)
from orchestrator.photos.views import Counts, Filter
from orchestrator.taste.service import MATCH_SCORE

# Each of photos is an index-only scan of the partial index with the same condition.
_ARCHIVE = f"""
SELECT *, "all" - unrated AS rated, "all" - match AS nomatch FROM (SELECT
 (SELECT count(*) FROM photos WHERE preview IS NOT NULL AND rejected_at IS NULL AND deleted_at IS NULL) AS "all",
 (SELECT count(*) FROM photos WHERE preview IS NOT NULL AND rejected_at IS NULL AND deleted_at IS NULL
   AND user_rating IS NULL) AS unrated,
 CASE WHEN (SELECT is_trusted FROM taste_state) THEN
   (SELECT count(*) FROM photos WHERE preview IS NOT NULL AND rejected_at IS NULL AND deleted_at IS NULL
     AND (manual_match OR preference_score >= {MATCH_SCORE}))
  ELSE (SELECT count(*) FROM photos WHERE preview IS NOT NULL AND rejected_at IS NULL AND deleted_at IS NULL
     AND manual_match) END AS match,
 (SELECT count(*) FROM photos WHERE preview IS NOT NULL AND rejected_at IS NULL AND deleted_at IS NULL
   AND user_rating >= {LEAST_FOR_PROJECTS} AND project_id IS NULL) AS for_projects,
 (SELECT coalesce(sum(size), 0)::bigint FROM bursts WHERE size > 1) AS bursts,
 (SELECT count(*) FROM photos WHERE preview IS NOT NULL AND rejected_at IS NOT NULL AND deleted_at IS NULL) AS rejected,
 (SELECT count(DISTINCT r.photo_id) FROM stage_runs r JOIN photos p ON p.id = r.photo_id
   WHERE r.state = 'failed' AND p.deleted_at IS NULL) AS failed) counted
"""
_FILTERS: tuple[Filter, ...] = ("all", "match", "unrated", "for-projects", "bursts", "rejected", "failed")


def photo_counts(sessions: Sessions, live: Live) -> Resting[Selection, Counts]:
    """By selections without a filter. Each says the last event that it knows of."""

    async def count(selection: Selection) -> Counts:
        event = live.last_id
        async with sessions() as session:
            counted = await (_of_narrowed(session, selection) if is_narrowed(selection) else _of_archive(session))
        return Counts(**counted, as_of_event=event)

    return Resting(count)


async def _of_archive(session: AsyncSession) -> Mapping[str, int]:
    return (await session.execute(text(_ARCHIVE))).one()._asdict()


async def _of_narrowed(session: AsyncSession, selection: Selection) -> Mapping[str, int]:
    """All in one walk over what narrows it."""
    selection = await informed(session, replace(selection, filter="match"))  # which asks whether scores are trusted
    narrowing = replace(selection, filter=None)
    counts = [func.count().filter(*_holding(replace(selection, filter=name))).label(name) for name in _FILTERS]
    query = select(*counts).select_from(Photo).where(col(Photo.deleted_at).is_(None))
    row = (await session.execute(query.where(*conditions(narrowing), *named_elsewhere(narrowing)))).one()
    found = {name.replace("-", "_"): int(value) for name, value in row._mapping.items()}
    return {**found, "rated": found["all"] - found["unrated"], "nomatch": found["all"] - found["match"]}


def _holding(selection: Selection) -> list[ColumnElement[bool]]:
    return [*of_filter(selection), *named_elsewhere(replace(selection, import_id=None))]
