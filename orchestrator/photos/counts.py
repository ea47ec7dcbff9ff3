"""How many photos each filter shows, of the archive or of what narrows it. Counting is O(photos) even from an index
alone: see `resting` for how often that is done."""

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.db import Sessions
from orchestrator.live import Live
from orchestrator.models import Photo
from orchestrator.photos.orders import Query
from orchestrator.photos.resting import Resting
from orchestrator.photos.selection import Selection, conditions, informed, named_elsewhere, of_shown
from orchestrator.photos.views import Counts, Filter

_OF_SHOWN: tuple[Filter, ...] = ("all", "match", "rated", "for-projects", "bursts")


def photo_counts(sessions: Sessions, live: Live) -> Resting[Selection, Counts]:
    """By selections without a filter. Each says the last event that it knows of."""

    async def count(selection: Selection) -> Counts:
        event = live.last_id
        async with sessions() as session:
            return Counts(**await _counted(session, selection), as_of_event=event)

    return Resting(count)


async def _counted(session: AsyncSession, selection: Selection) -> Mapping[str, int]:
    """What is shown all in one walk, in an index alone. The others are few: an index names them."""
    selection = await informed(session, replace(selection, filter="match"))  # which asks whether scores are trusted
    counts = [func.count().filter(*of_shown(replace(selection, filter=name))).label(name) for name in _OF_SHOWN]
    shown = (await session.execute(_narrowed(select(*counts), selection, "all"))).one()
    found = {name.replace("-", "_"): int(value) for name, value in shown._mapping.items()}
    for name in ("rejected", "failed"):
        found[name] = (await session.scalars(_narrowed(select(func.count()), selection, name))).one()
    return {**found, "unrated": found["all"] - found["rated"], "nomatch": found["all"] - found["match"]}


def _narrowed(query: Query, selection: Selection, name: Filter) -> Query:
    selection = replace(selection, filter=name)
    query = query.select_from(Photo).where(col(Photo.deleted_at).is_(None))
    return query.where(*conditions(selection), *named_elsewhere(selection))
