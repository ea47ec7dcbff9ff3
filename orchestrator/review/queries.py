"""Reading what was decided."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.models import Photo, Project, RatingEvent
from orchestrator.review.views import History, PastDecision

_MOST = 200


async def is_known(session: AsyncSession, batch: UUID) -> bool:
    return bool(await session.scalar(select(exists().where(col(RatingEvent.batch) == batch))))


async def history(session: AsyncSession, photo_id: int) -> History | None:
    """The last decisions about a photo, newest first; None when there is no such photo."""
    photo = await session.get(Photo, photo_id)
    if photo is None or photo.deleted_at:
        return None
    rows = await session.scalars(
        select(RatingEvent)
        .where(col(RatingEvent.photo_id) == photo_id)
        .order_by(col(RatingEvent.id).desc())
        .limit(_MOST)
    )
    events = rows.all()
    ids = {values.get("project_id") for event in events for values in (event.before, event.after)} - {None}
    projects = select(col(Project.id), col(Project.name)).where(col(Project.id).in_(ids))
    names = dict((await session.execute(projects)).all()) if ids else {}
    return History(
        items=[
            PastDecision(
                batch=event.batch,
                source=event.source,
                before=_told(event.before, names),
                after=_told(event.after, names),
                decided_at=event.created_at,
            )
            for event in events
        ]
    )


def _told(values: Mapping[str, Any], project_names: Mapping[int, str]) -> dict[str, Any]:  # Any: JSON
    """Projects by their names; null for one that is there no more."""
    told = dict(values)
    if "project_id" in told:
        told["project"] = project_names.get(told.pop("project_id"))
    return told
