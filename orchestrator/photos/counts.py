"""How many photos each filter shows, of the archive or of what narrows it. Counting is O(photos) even from an index
alone: see `resting` for how often that is done."""

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.db import Sessions
from orchestrator.live import Live
from orchestrator.models import Photo
from orchestrator.photos.orders import Query
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
_OF_SHOWN: tuple[Filter, ...] = ("all", "match", "unrated", "for-projects", "bursts")


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
    """What is shown all in one walk, in an index alone. The others are few: an index names them."""
    selection = await informed(session, replace(selection, filter="match"))  # which asks whether scores are trusted
    counts = [func.count().filter(*of_filter(replace(selection, filter=name))).label(name) for name in _OF_SHOWN]
    shown = (await session.execute(_narrowed(select(*counts), selection, "all"))).one()
    found = {name.replace("-", "_"): int(value) for name, value in shown._mapping.items()}
    for name in ("rejected", "failed"):
        found[name] = (await session.scalars(_narrowed(select(func.count()), selection, name))).one()
    return {**found, "rated": found["all"] - found["unrated"], "nomatch": found["all"] - found["match"]}


def _narrowed(query: Query, selection: Selection, name: Filter) -> Query:
    selection = replace(selection, filter=name)
    query = query.select_from(Photo).where(col(Photo.deleted_at).is_(None))
    return query.where(*conditions(selection), *named_elsewhere(selection))
