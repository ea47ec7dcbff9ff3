"""Which photos of a root have something to say in a sidecar, and where."""

from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.file_ratings.service import OPEN
from orchestrator.models import Photo, RatingConflict
from orchestrator.models.states import ORIGINAL
from orchestrator.write_back.packet import Wish
from shared.xmp import REJECTED


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


async def next_photos(session: AsyncSession, root_id: int, after: int, limit: int) -> list[Written]:
    """In the order of their numbers: those that have a sidecar here, or about which something was decided."""
    rows = await session.execute(
        text(
            """
            SELECT photos.id,
              (SELECT path FROM photo_files WHERE photo_id = photos.id AND root_id = :root AND role = :original
               ORDER BY photo_files.id LIMIT 1) AS original,
              ARRAY(SELECT path FROM sidecars WHERE photo_id = photos.id AND root_id = :root ORDER BY path) AS sidecars
            FROM photos
            WHERE photos.id > :after AND deleted_at IS NULL AND (
              EXISTS (SELECT 1 FROM sidecars WHERE photo_id = photos.id AND root_id = :root)
              OR ((user_rating IS NOT NULL OR rejected_at IS NOT NULL OR manual_match OR cardinality(tags) > 0)
                AND EXISTS (SELECT 1 FROM photo_files WHERE photo_id = photos.id AND root_id = :root
                            AND role = :original)))
            ORDER BY photos.id LIMIT :limit
            """
        ),
        {"root": root_id, "after": after, "limit": limit, "original": ORIGINAL},
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
