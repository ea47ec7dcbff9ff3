"""Reading projects: their covers and counts, and their photos in order."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.paging import Cursor, Page, decode
from orchestrator.photos.addresses import thumbnail_url
from orchestrator.photos.queries import Selection, photos_by_id
from orchestrator.photos.views import PhotoList
from orchestrator.projects.views import Cover, ProjectItem

_ORDER = "project"
_VISIBLE = "p.preview IS NOT NULL AND p.deleted_at IS NULL AND p.rejected_at IS NULL"
# The chosen cover, else the first photo that was given a place, else the first of all.
_COVER = f"""
SELECT c.* FROM (
  (SELECT 1 AS rank, p.* FROM photos p WHERE p.id = j.cover_id AND p.project_id = j.id AND {_VISIBLE})
  UNION ALL
  (SELECT 2, p.* FROM project_positions o JOIN photos p ON p.id = o.photo_id AND p.project_id = o.project_id
    WHERE o.project_id = j.id AND {_VISIBLE} ORDER BY o.position, o.photo_id LIMIT 1)
  UNION ALL
  (SELECT 3, p.* FROM photos p WHERE p.project_id = j.id AND {_VISIBLE} ORDER BY p.id LIMIT 1)
) c ORDER BY c.rank LIMIT 1
"""
_PROJECTS = f"""
SELECT j.id, j.name, j.created_at,
  (SELECT count(*) FROM photos p WHERE p.project_id = j.id AND {_VISIBLE}) AS photos,
  (SELECT count(*) FROM photos p WHERE p.project_id = j.id AND p.rejected_at IS NOT NULL AND p.deleted_at IS NULL)
    AS rejected,
  c.id AS cover, c.rank = 1 AS is_cover_chosen, c.thumbnail, c.preview_width, c.preview_height, c.placeholder
FROM projects j LEFT JOIN LATERAL ({_COVER}) c ON true
"""
_PLACED = text(
    f"""
    SELECT o.photo_id AS id, o.position FROM project_positions o
    JOIN photos p ON p.id = o.photo_id AND p.project_id = o.project_id
    WHERE o.project_id = :project AND {_VISIBLE}
      AND (o.position, o.photo_id) > (CAST(:position AS integer), CAST(:after AS bigint))
    ORDER BY o.position, o.photo_id LIMIT :most
    """
)
_UNPLACED = text(
    f"""
    SELECT p.id, NULL AS position FROM photos p
    WHERE p.project_id = :project AND {_VISIBLE} AND p.id > :after
      AND NOT EXISTS (SELECT 1 FROM project_positions o WHERE o.project_id = :project AND o.photo_id = p.id)
    ORDER BY p.id LIMIT :most
    """
)


async def all_projects(session: AsyncSession) -> list[ProjectItem]:
    """By name. People have tens of projects, hundreds at most: there are no pages."""
    rows = await session.execute(text(f"{_PROJECTS} ORDER BY lower(j.name), j.id"))
    return [_item(row) for row in rows]


async def project(session: AsyncSession, project_id: int) -> ProjectItem | None:
    row = (await session.execute(text(f"{_PROJECTS} WHERE j.id = :id"), {"id": project_id})).one_or_none()
    return _item(row) if row else None


async def photos_in_order(session: AsyncSession, project_id: int, page: Page) -> PhotoList:
    """Photos that were given a place first, the others behind them as they came in."""
    rows = await _places(session, project_id, decode(page.after, _ORDER), page.limit + 1)
    shown = rows[: page.limit]
    photos = {item.id: item for item in await photos_by_id(session, Selection(None), [row.id for row in shown])}
    last = shown[-1] if len(rows) > page.limit else None
    return PhotoList(
        items=[photos[row.id] for row in shown if row.id in photos],
        next=Cursor(_ORDER, last.position, last.id).encode() if last else None,
    )


async def _places(session: AsyncSession, project_id: int, after: Cursor | None, most: int) -> Sequence[Any]:
    # Any: a row of an id and a position
    rows: list[Any] = []
    if after is None or after.value is not None:
        start = {"position": int(after.value or 0) if after else -1, "after": after.id if after else -1}
        rows += await session.execute(_PLACED, {"project": project_id, "most": most, **start})
    if len(rows) < most:
        behind = after.id if after and after.value is None else -1
        values = {"project": project_id, "most": most - len(rows), "after": behind}
        rows += await session.execute(_UNPLACED, values)
    return rows


def _item(row: Any) -> ProjectItem:  # Any: a row of _PROJECTS
    cover = (
        Cover(
            photo_id=row.cover,
            thumbnail_url=thumbnail_url(row.cover, row.thumbnail),
            width=row.preview_width,
            height=row.preview_height,
            placeholder=row.placeholder,
        )
        if row.cover is not None
        else None
    )
    return ProjectItem(
        id=row.id,
        name=row.name,
        photos=row.photos,
        rejected=row.rejected,
        cover=cover,
        is_cover_chosen=bool(row.is_cover_chosen),
        created_at=row.created_at,
    )
