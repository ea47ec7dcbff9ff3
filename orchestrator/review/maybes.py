"""Kept photos that look like one photo and are not settled: beside them it is rated."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.embedding import service as embedding
from orchestrator.photos.queries import photos_by_id
from orchestrator.photos.selection import Selection
from orchestrator.photos.views import PhotoItem

MOST = 8
# Every candidate is compared, about 30 ms for all of them: there is no index over vectors, and one would give too few
# that are kept. Of more, those kept last are looked at.
_CANDIDATES = 5_000

_NEAREST = text(
    """
    WITH wanted AS MATERIALIZED (
      SELECT vector FROM photo_vectors WHERE photo_id = :photo_id AND model = :model
    ), candidates AS MATERIALIZED (
      SELECT id FROM photos
      WHERE kept_at IS NOT NULL AND rejected_at IS NULL AND preview IS NOT NULL AND deleted_at IS NULL
        AND (user_rating IS NULL OR user_rating BETWEEN 2 AND 4)
      ORDER BY kept_at DESC LIMIT :candidates
    ), found AS (
      SELECT v.photo_id, v.vector <=> wanted.vector AS distance
      FROM wanted, candidates AS c
      JOIN LATERAL (
        SELECT * FROM photo_vectors AS v WHERE v.photo_id = c.id AND v.model = :model LIMIT 1
      ) AS v ON true
      WHERE c.id <> :photo_id
    )
    SELECT photo_id FROM found ORDER BY distance, photo_id LIMIT :most
    """
)


async def maybes(session: AsyncSession, photo_id: int) -> list[PhotoItem]:
    """The nearest kept photos without stars or with two to four, nearest first; none for a photo without a vector."""
    model = await embedding.in_force(session)
    if model is None:
        return []
    known = {"photo_id": photo_id, "model": model, "candidates": _CANDIDATES, "most": MOST}
    ids = list(await session.scalars(_NEAREST, known))
    photos = {photo.id: photo for photo in await photos_by_id(session, Selection(None), ids)}
    return [photos[id_] for id_ in ids if id_ in photos]
