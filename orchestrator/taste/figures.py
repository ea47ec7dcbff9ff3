"""How the scores are spread, and how far a re-score has come. Counting is O(photos), so figures are kept a while."""

import asyncio
import time
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.db import Sessions

BINS = 20
_REST = 20.0  # times what counting took: it never takes more than a twentieth of one connection
_LEAST_REST_SECONDS = 0.5

_HISTOGRAM = text(  # an index-only scan of photos_taste
    f"""
    SELECT least(preference_score / {100 // BINS}, {BINS - 1}) AS bin, count(*) AS photos FROM photos
    WHERE preview IS NOT NULL AND deleted_at IS NULL AND preference_score IS NOT NULL GROUP BY 1
    """
)
_PROGRESS = text(
    """
    SELECT count(*) FILTER (WHERE score_activation = activation) AS rescored, count(*) AS total
    FROM photos, taste_state, embedding_models
    WHERE preview IS NOT NULL AND deleted_at IS NULL AND state = 'current' AND EXISTS (
      SELECT 1 FROM photo_vectors WHERE photo_id = photos.id AND model = name)
    """
)


@dataclass(frozen=True)
class Figures:
    histogram: list[int] = field(default_factory=lambda: [0] * BINS)
    rescored: int = 0
    total: int = 0


class KeptFigures:
    """The figures, counted when asked for, and not again before they have rested."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._figures = Figures()
        self._good_until = 0.0
        self._counting = asyncio.Lock()

    async def get(self) -> Figures:
        async with self._counting:
            if time.monotonic() >= self._good_until:
                started = time.monotonic()
                async with self._sessions() as session:
                    self._figures = await count(session)
                now = time.monotonic()
                self._good_until = now + max(_LEAST_REST_SECONDS, (now - started) * _REST)
        return self._figures


async def count(session: AsyncSession) -> Figures:
    histogram = [0] * BINS
    for row in await session.execute(_HISTOGRAM):
        histogram[row.bin] = row.photos
    progress = (await session.execute(_PROGRESS)).one()
    return Figures(histogram, progress.rescored, progress.total)
