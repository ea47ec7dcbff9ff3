"""What the archive can be narrowed by: its cameras, and tags that its newest photos have."""

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

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


class Facets(BaseModel):
    cameras: list[str]
    tags: list[str]


async def facets_of(session: AsyncSession) -> Facets:
    cameras = await session.scalars(text(_CAMERAS))
    tags = await session.scalars(text(_TAGS))
    return Facets(cameras=list(cameras), tags=list(tags))
