"""Which photos of a root have something to say in a sidecar, and where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.file_ratings.service import OPEN
from orchestrator.models import Photo, RatingConflict
from orchestrator.models.states import ORIGINAL
from orchestrator.write_back.packet import Wish
from shared.xmp import REJECTED

MOST_NAMED = 3


@dataclass(frozen=True)
class Written:
    """A photo with its original and the sidecars in this root that were read before."""

    photo_id: int
    original: bytes | None
    sidecars: tuple[bytes, ...]


@dataclass(frozen=True)
class Decided:
    """What the person says now. `is_open`: a file says another rating, and the person has not chosen yet."""

    wish: Wish
    is_open: bool


class Due(BaseModel):
    """Photos of a root whose sidecars are still to be written. `problem`: why none can be written now. Of the
    `not_written`, which were tried, `first` says of some why."""

    waiting: int
    problem: str | None
    not_written: int
    first: list[str]


async def due_of(session: AsyncSession, root_ids: Sequence[int]) -> Mapping[int, Due]:
    """By root."""
    rows = await session.execute(
        text(
            "SELECT id, sidecar_problem, count(photo_id) FILTER (WHERE due.problem IS NULL),"
            f" count(due.problem), (array_agg(due.problem ORDER BY due_at, photo_id)"
            f" FILTER (WHERE due.problem IS NOT NULL))[1:{MOST_NAMED}]"
            " FROM roots LEFT JOIN due_sidecars due ON root_id = id WHERE id = ANY(:ids) GROUP BY id"
        ),
        {"ids": list(root_ids)},
    )
    return {
        id_: Due(waiting=waiting, problem=problem, not_written=tried, first=first or [])
        for id_, problem, waiting, tried, first in rows
    }


async def next_photos(session: AsyncSession, root_id: int, after: int, limit: int) -> list[Written]:
    """In the order of their numbers: those that have a sidecar here, or about which something was decided."""
    return await _photos(
        session, root_id, "photos.id > :after ORDER BY photos.id LIMIT :limit", after=after, limit=limit
    )


async def these_photos(session: AsyncSession, root_id: int, photo_ids: Sequence[int]) -> list[Written]:
    """Those of these photos."""
    return await _photos(session, root_id, "photos.id = ANY(:ids) ORDER BY photos.id", ids=list(photo_ids))


async def _photos(session: AsyncSession, root_id: int, which: str, **values: int | list[int]) -> list[Written]:
    rows = await session.execute(
        text(
            f"""
            SELECT photos.id,
              (SELECT path FROM photo_files WHERE photo_id = photos.id AND root_id = :root AND role = :original
               ORDER BY photo_files.id LIMIT 1) AS original,
              ARRAY(SELECT path FROM sidecars WHERE photo_id = photos.id AND root_id = :root ORDER BY path) AS sidecars
            FROM photos
            WHERE deleted_at IS NULL AND (
              EXISTS (SELECT 1 FROM sidecars WHERE photo_id = photos.id AND root_id = :root)
              OR ((user_rating IS NOT NULL OR rejected_at IS NOT NULL OR manual_match OR cardinality(tags) > 0)
                AND EXISTS (SELECT 1 FROM photo_files WHERE photo_id = photos.id AND root_id = :root
                            AND role = :original)))
              AND {which}
            """
        ),
        {"root": root_id, "original": ORIGINAL, **values},
    )
    return [Written(row.id, row.original, tuple(row.sidecars)) for row in rows]


async def decided(session: AsyncSession, photo_ids: list[int]) -> dict[int, Decided]:
    rows = await session.execute(
        select(
            col(Photo.id), col(Photo.user_rating), col(Photo.rejected_at), col(Photo.manual_match), col(Photo.tags),
            col(RatingConflict.state), col(RatingConflict.file_rating),
        )
        .outerjoin(RatingConflict, col(RatingConflict.photo_id) == col(Photo.id))
        .where(col(Photo.id).in_(photo_ids), col(Photo.deleted_at).is_(None))
    )  # fmt: skip
    found = {}
    for id_, user_rating, rejected_at, is_pick, tags, conflict, file_rating in rows:
        rating = REJECTED if rejected_at else user_rating
        is_open = conflict == OPEN and file_rating != rating
        found[id_] = Decided(Wish(rating, is_pick, tuple(tags or ())), is_open)
    return found
