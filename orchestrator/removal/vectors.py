"""Vectors of photos that were removed go a day later, as their pictures do."""

import time

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.photos.sweeper import DAY_SECONDS

_EVERY_SECONDS = 600.0
_AT_ONCE = 5_000

# A photo that is being brought back at this moment keeps its own.
_FORGET = text(
    """
    DELETE FROM photo_vectors WHERE photo_id IN (
      SELECT id FROM photos WHERE removal IS NOT NULL AND deleted_at < now() - make_interval(secs => :age)
        AND EXISTS (SELECT 1 FROM photo_vectors WHERE photo_id = photos.id)
      LIMIT :most FOR UPDATE SKIP LOCKED)
    """
)


class Forgetting:
    """Looks every ten minutes: it goes through all tombstones."""

    def __init__(self, older_than_seconds: float = DAY_SECONDS) -> None:
        self._older_than_seconds = older_than_seconds
        self._next_at = 0.0

    async def __call__(self, session: AsyncSession) -> None:
        if time.monotonic() >= self._next_at:
            self._next_at = time.monotonic() + _EVERY_SECONDS
            await session.execute(_FORGET, {"age": self._older_than_seconds, "most": _AT_ONCE})
