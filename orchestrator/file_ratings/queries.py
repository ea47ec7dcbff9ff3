"""What files say about ratings, as it is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.imports.folders import shown
from orchestrator.paging import MAX_ID
from orchestrator.photos.queries import photos_by_id
from orchestrator.photos.selection import Selection
from orchestrator.photos.views import PhotoItem

MOST_NAMED = 3

# A difference that went away by itself, because the person came to the same rating, is none.
_DIFFERS = """conflict.state = 'open' AND deleted_at IS NULL
  AND coalesce(CASE WHEN rejected_at IS NOT NULL THEN -1 ELSE user_rating END, 0) <> file_rating"""


class Ratings(BaseModel):
    """How many of the files of an import carry a rating, in themselves or beside them."""

    with_rating: int
    of: int


class BrokenSidecar(BaseModel):
    name: str
    problem: str


class BrokenSidecars(BaseModel):
    """`first` names some of `count`."""

    count: int
    first: list[BrokenSidecar]


class Conflict(BaseModel):
    """The person says `ours` here, a file says `theirs`: 1-5 stars, -1 for rejected, null for nothing."""

    id: int
    photo: PhotoItem
    ours: int | None
    theirs: int
    file_path: str
    created_at: datetime


class ConflictList(BaseModel):
    items: list[Conflict]
    next: str | None
    total: int


@dataclass(frozen=True)
class OfImport:
    conflicts: int
    broken_sidecars: BrokenSidecars | None


async def conflicts(session: AsyncSession, before: int | None, limit: int) -> ConflictList:
    """Open ones, newest first."""
    rows = await session.execute(
        text(
            "SELECT conflict.id, photo_id, conflict.file_path, file_rating, conflict.created_at, user_rating,"
            " rejected_at FROM rating_conflicts conflict JOIN photos ON photos.id = photo_id"
            f" WHERE {_DIFFERS} AND conflict.id < :before ORDER BY conflict.id DESC LIMIT :limit"
        ),
        {"before": before or MAX_ID, "limit": limit},
    )
    found = rows.all()
    photos = {item.id: item for item in await photos_by_id(session, Selection(None), [row.photo_id for row in found])}
    total = await session.scalar(
        text(f"SELECT count(*) FROM rating_conflicts conflict JOIN photos ON photos.id = photo_id WHERE {_DIFFERS}")
    )
    return ConflictList(
        items=[_conflict(row, photos[row.photo_id]) for row in found if row.photo_id in photos],
        next=str(found[-1].id) if len(found) == limit else None,
        total=total or 0,
    )


async def of_imports(session: AsyncSession, import_ids: Sequence[int]) -> Mapping[int, OfImport]:
    """What there is to say about the files of each import, beside how many carry a rating."""
    conflicts = await _conflict_counts(session, import_ids)
    broken = await _broken_sidecars(session, import_ids)
    return {id_: OfImport(conflicts.get(id_, 0), broken.get(id_)) for id_ in import_ids}


async def _conflict_counts(session: AsyncSession, import_ids: Sequence[int]) -> Mapping[int, int]:
    rows = await session.execute(
        text(
            "SELECT import_id, count(DISTINCT conflict.id) FROM rating_conflicts conflict"
            " JOIN photos ON photos.id = photo_id JOIN import_items ON import_items.photo_id = photos.id"
            f" WHERE {_DIFFERS} AND import_id = ANY(:ids) GROUP BY 1"
        ),
        {"ids": list(import_ids)},
    )
    return dict(rows.all())


async def _broken_sidecars(session: AsyncSession, import_ids: Sequence[int]) -> Mapping[int, BrokenSidecars]:
    rows = await session.execute(
        text(
            """
            SELECT import_id, path, problem, n FROM (
              SELECT import_id, path, problem, count(*) OVER job AS n, row_number() OVER (job ORDER BY path) AS nth
              FROM (SELECT DISTINCT import_id, sidecars.id, sidecars.path, problem FROM sidecars
                JOIN import_items ON import_items.photo_id = sidecars.photo_id
                WHERE problem IS NOT NULL AND import_id = ANY(:ids)) AS broken
              WINDOW job AS (PARTITION BY import_id)
            ) AS numbered WHERE nth <= :most ORDER BY import_id, nth
            """
        ),
        {"ids": list(import_ids), "most": MOST_NAMED},
    )
    found: dict[int, BrokenSidecars] = {}
    for import_id, path, problem, n in rows:
        named = found.setdefault(import_id, BrokenSidecars(count=n, first=[]))
        named.first.append(BrokenSidecar(name=shown(path.rpartition(b"/")[2]), problem=problem))
    return found


def _conflict(row: Row[Any], photo: PhotoItem) -> Conflict:  # Any: the columns of the query
    return Conflict(
        id=row.id,
        photo=photo,
        ours=-1 if row.rejected_at else row.user_rating,
        theirs=row.file_rating,
        file_path=row.file_path,
        created_at=row.created_at,
    )
