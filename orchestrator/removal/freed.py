"""How much room the pictures of photos take: what their removal frees a day later."""

import asyncio
from collections.abc import Sequence

from sqlalchemy import text

from orchestrator.db import Sessions
from shared.claims import ClaimStore

_MOST_MEASURED = (
    2_000  # photos; of more, evenly chosen ones stand for all: a slow disk takes minutes for a hundred thousand
)
_KILO = 1000


async def freed_bytes(sessions: Sessions, claims: ClaimStore, ids: Sequence[int]) -> int:
    """Of previews, thumbnails and renditions. About so many, where there are thousands of photos. No connection waits
    for a slow disk."""
    measured = ids[:: -(-len(ids) // _MOST_MEASURED)] if ids else []
    named = text("SELECT preview, thumbnail FROM photos WHERE id = ANY(:ids)")
    kept = text("SELECT coalesce(sum(bytes), 0)::bigint FROM renditions WHERE photo_id = ANY(:ids)")
    async with sessions() as session:
        pictures = (await session.execute(named, {"ids": list(measured)})).all()
        renditions = int(await session.scalar(kept, {"ids": list(ids)}) or 0)
    size = await asyncio.to_thread(_size, claims, [claim for row in pictures for claim in row if claim])
    return renditions + round(size * len(ids) / max(1, len(measured)))


def said(size: int) -> str:
    """212 MB, 1.4 GB."""
    if size < _KILO:
        return f"{size} bytes"
    value, units = size / _KILO, ["KB", "MB", "GB", "TB"]
    while value >= _KILO - 0.5 and len(units) > 1:
        value, units = value / _KILO, units[1:]
    return f"{value:.1f} {units[0]}" if value < 10 and units[0] not in {"KB", "MB"} else f"{value:,.0f} {units[0]}"


def _size(claims: ClaimStore, named: Sequence[str]) -> int:
    return sum(file.size for file in claims.stats(named).values())
