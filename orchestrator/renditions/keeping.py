"""How many renditions are kept: as many bytes as the settings say, those that were looked at last."""

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.photos import sweeper
from shared.claims import ClaimStore
from shared.errors import OutsideRoots

log = structlog.get_logger()

EVERY_SECONDS = 15.0
IN_USE_SECONDS = 600.0  # a page may show it still, or an export read it: these stay, however many there are

_OUT_OF_DATE = text(
    "DELETE FROM renditions USING photos WHERE photos.id = photo_id"
    " AND (photos.preview IS DISTINCT FROM renditions.preview OR photos.deleted_at IS NOT NULL) RETURNING claim"
)
_TOO_MANY = text(
    """
    WITH ranked AS (
      SELECT photo_id, size, used_at, sum(bytes) OVER (ORDER BY used_at DESC, photo_id, size) AS together
      FROM renditions)
    DELETE FROM renditions USING ranked WHERE renditions.photo_id = ranked.photo_id AND renditions.size = ranked.size
      AND together > :most AND ranked.used_at < now() - make_interval(secs => :in_use) RETURNING claim
    """
)


class Bound:
    """To be called now and then. What goes over the bound goes at once: it can be made again."""

    def __init__(self, claims: ClaimStore, most_gb: float) -> None:
        self._claims = claims
        self._most_bytes = int(most_gb * 1e9)
        self._next_at = 0.0

    async def __call__(self, session: AsyncSession) -> None:
        if time.monotonic() >= self._next_at:
            self._next_at = time.monotonic() + EVERY_SECONDS
            await drop(session, self._claims, self._most_bytes)


async def drop(
    session: AsyncSession, claims: ClaimStore, most_bytes: int, in_use_seconds: float = IN_USE_SECONDS
) -> None:
    """Drop renditions of photos that were removed or changed, then the least recently used ones over the bound."""
    dropped = set(await session.scalars(_OUT_OF_DATE))
    dropped |= set(await session.scalars(_TOO_MANY, {"most": most_bytes, "in_use": in_use_seconds}))
    if not dropped:
        return
    await sweeper.consider(session, dropped)  # should this end before the files are gone
    still = text("SELECT claim FROM renditions WHERE claim = ANY(:claims)")
    unneeded = dropped - set(await session.scalars(still, {"claims": list(dropped)}))
    await asyncio.to_thread(_remove, claims, unneeded)
    log.info("renditions.dropped", files=len(unneeded))


def _remove(claims: ClaimStore, unneeded: Iterable[str]) -> None:
    for claim in unneeded:
        with suppress(OSError, OutsideRoots):  # the sweeper tries again
            claims.remove(claim)
