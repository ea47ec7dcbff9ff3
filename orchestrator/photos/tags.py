"""The tags of photos that somebody chose."""

from collections.abc import Sequence

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_MOST = 60

_TAGS = text(
    """
    SELECT min(tag) AS tag, count(DISTINCT id) AS photos
    FROM photos, unnest(coalesce(tags, suggested_tags)) AS tag WHERE id = ANY(:ids)
    GROUP BY lower(tag) ORDER BY photos DESC, lower(tag) LIMIT :most
    """
)


class TagCount(BaseModel):
    tag: str
    photos: int


class TagCounts(BaseModel):
    """`count` photos were chosen; the tags that most of them have, upper and lower case being the same."""

    count: int
    tags: list[TagCount]


async def tags_of(session: AsyncSession, ids: Sequence[int]) -> TagCounts:
    rows = await session.execute(_TAGS, {"ids": list(ids), "most": _MOST})
    return TagCounts(count=len(ids), tags=[TagCount(tag=row.tag, photos=row.photos) for row in rows])
