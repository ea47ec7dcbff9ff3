"""What photos can be narrowed by: cameras, kinds of content, projects and tags, and how many photos each leaves."""

from dataclasses import replace
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Select, SQLColumnExpression, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.db import Sessions
from orchestrator.models import Photo, PhotoWords, Project
from orchestrator.photos.resting import Resting
from orchestrator.photos.selection import Selection, conditions, informed, named_elsewhere

# From each camera of the index to the next: as many steps as there are cameras, however many photos they took.
_CAMERAS = """
WITH RECURSIVE found AS (
  (SELECT camera_model FROM photos WHERE {taken} ORDER BY camera_model LIMIT 1)
  UNION ALL
  SELECT (SELECT camera_model FROM photos WHERE {taken} AND camera_model > found.camera_model
    ORDER BY camera_model LIMIT 1) FROM found WHERE found.camera_model IS NOT NULL
)
SELECT camera_model FROM found WHERE camera_model IS NOT NULL LIMIT 200
""".format(taken="preview IS NOT NULL AND deleted_at IS NULL AND camera_model IS NOT NULL")
_TAGS = """
SELECT tag FROM (SELECT unnest(tags) AS tag FROM (
  SELECT tags FROM photo_words ORDER BY photo_id DESC LIMIT 500) AS newest) AS named
GROUP BY tag ORDER BY count(*) DESC, tag LIMIT 50
"""
_MOST_VALUES = 200
_MOST_TAGS = 50


class Facets(BaseModel):
    """The names alone, which are at hand at once."""

    cameras: list[str]
    tags: list[str]


class FacetCounts(BaseModel):
    """How many photos of a selection have each value, with everything that narrows it but that value itself. The most
    frequent ones."""

    cameras: dict[str, int]
    content_types: dict[str, int]
    projects: dict[str, int]
    tags: dict[str, int]


async def facets_of(session: AsyncSession) -> Facets:
    cameras = await session.scalars(text(_CAMERAS))
    tags = await session.scalars(text(_TAGS))
    return Facets(cameras=list(cameras), tags=list(tags))


def facet_counts(sessions: Sessions) -> Resting[Selection, FacetCounts]:
    async def count(selection: Selection) -> FacetCounts:
        async with sessions() as session:
            return FacetCounts(
                cameras=await _counted(session, replace(selection, camera=None), col(Photo.camera_model)),
                content_types=await _counted(session, replace(selection, content_type=None), col(Photo.content_type)),
                projects=await _projects(session, replace(selection, project=None)),
                tags=await _tags(session, replace(selection, tag=None)),
            )

    return Resting(count)


async def _counted(session: AsyncSession, selection: Selection, value: SQLColumnExpression[Any]) -> dict[str, int]:
    """By one column of the photos."""
    query = select(value, func.count()).where(value.is_not(None), *await _among(session, selection))
    return await _most(session, query.group_by(value).order_by(func.count().desc(), value).limit(_MOST_VALUES))


async def _projects(session: AsyncSession, selection: Selection) -> dict[str, int]:
    # Counted by their numbers first: the names of a few are asked for, not of every photo.
    ids: Select[Any, Any] = select(col(Photo.project_id).label("id"), func.count().label("photos"))
    ids = ids.where(col(Photo.project_id).is_not(None), *await _among(session, selection))
    counted = ids.group_by(col(Photo.project_id)).subquery()
    query = select(col(Project.name), counted.c.photos).join(counted, counted.c.id == col(Project.id))
    return await _most(session, query.order_by(counted.c.photos.desc(), col(Project.name)).limit(_MOST_VALUES))


async def _tags(session: AsyncSession, selection: Selection) -> dict[str, int]:
    tags = select(func.unnest(col(PhotoWords.tags)).label("tag")).join(Photo, col(Photo.id) == col(PhotoWords.photo_id))
    named = tags.where(*await _among(session, selection)).subquery()
    query = select(named.c.tag, func.count()).group_by(named.c.tag)
    return await _most(session, query.order_by(func.count().desc(), named.c.tag).limit(_MOST_TAGS))


async def _among(session: AsyncSession, selection: Selection) -> list[ColumnElement[bool]]:
    selection = await informed(session, selection)
    return [col(Photo.deleted_at).is_(None), *conditions(selection), *named_elsewhere(selection)]


async def _most(session: AsyncSession, query: Any) -> dict[str, int]:  # Any: a select of values and counts
    return {str(value): int(count) for value, count in (await session.execute(query)).all()}
