"""Dead letters by cause: what failed where and how, largest first, each with what to do and some of its photos.

Counting is O(letters) even from an index alone. So a count of many letters is kept, and made again only after `_REST`
times as long as it took; a count of few is made whenever it is asked for.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import BaseModel
from sqlalchemy import text

from orchestrator.context import ServicesDep
from orchestrator.db import Sessions
from orchestrator.failures.advice import advice
from orchestrator.failures.queries import LetterState, PhotoOfFailure, Status
from orchestrator.photos.addresses import thumbnail_url

MOST_CAUSES = 40
PHOTOS_EACH = 12

_REST = 20.0
_MANY = 20_000

_COUNT = """
SELECT stage, error_type, status, count(*) AS count, min(id) AS first_id, max(last_at) AS last_at
FROM dead_letters WHERE state = :state GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3
"""
# Some letters of each cause by its index, never all of them.
_EXAMPLES = """
SELECT cause.n, first.created_at AS first_at, letter.message, letter.has_run, photo.id, photo.file_name, photo.thumbnail
FROM unnest(CAST(:stages AS text[]), CAST(:types AS text[]), CAST(:statuses AS smallint[]), CAST(:firsts AS bigint[]))
  WITH ORDINALITY AS cause (stage, error_type, status, first_id, n)
CROSS JOIN LATERAL (
  SELECT id, message, photo_id, run_id IS NOT NULL AND (photo_id IS NOT NULL OR subject IS NOT NULL) AS has_run
  FROM dead_letters WHERE state = :state AND stage = cause.stage AND error_type = cause.error_type
    AND status = cause.status ORDER BY id DESC LIMIT :most
) AS letter
LEFT JOIN dead_letters AS first ON first.id = cause.first_id
LEFT JOIN photos AS photo ON photo.id = letter.photo_id
ORDER BY cause.n, letter.id DESC
"""


Row = Any  # Any: a row of _EXAMPLES


class Cause(BaseModel):
    """What went wrong in one way. `status` is what a service that was called answered, 0 where none did."""

    stage: str
    error_type: str
    status: int
    count: int
    message: str  # of the newest
    advice: str
    can_requeue: bool
    photos: list[PhotoOfFailure]
    first_at: datetime
    last_at: datetime


class CauseList(BaseModel):
    items: list[Cause]
    total: int  # letters, of all causes
    others: int  # causes that are not listed, all smaller
    next: None = None


@dataclass(frozen=True)
class CauseFilter:
    stage: str | None = None
    error_type: str | None = None
    status: Status | None = None


@dataclass(frozen=True)
class _Counted:
    stage: str
    error_type: str
    status: int
    count: int
    first_id: int
    last_at: datetime


class Causes:
    """The causes of all letters in a state; counts of many letters are kept for a while."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._kept: dict[str, tuple[Sequence[_Counted], float]] = {}  # and until when it is good

    async def count(self) -> int:
        """How many open letters there are."""
        return sum(cause.count for cause in await self._counted("open"))

    def forget(self) -> None:
        """Somebody has just changed many letters and wants to see it."""
        self._kept.clear()

    async def largest(self, state: LetterState, wanted: CauseFilter) -> CauseList:
        matching = [cause for cause in await self._counted(state) if _matches(cause, wanted)]
        shown = matching[:MOST_CAUSES]
        total = sum(cause.count for cause in matching)
        return CauseList(items=await self._described(state, shown), total=total, others=len(matching) - len(shown))

    async def _counted(self, state: str) -> Sequence[_Counted]:
        counted, good_until = self._kept.get(state, ((), 0.0))
        started = time.monotonic()
        if started < good_until:
            return counted
        async with self._sessions() as session:
            rows = await session.execute(text(_COUNT), {"state": state})
            counted = [_Counted(**row._mapping) for row in rows]
        took = time.monotonic() - started
        if sum(cause.count for cause in counted) > _MANY:
            self._kept[state] = (counted, time.monotonic() + took * _REST)
        return counted

    async def _described(self, state: str, causes: Sequence[_Counted]) -> list[Cause]:
        async with self._sessions() as session:
            rows = await session.execute(
                text(_EXAMPLES),
                {
                    "state": state,
                    "stages": [cause.stage for cause in causes],
                    "types": [cause.error_type for cause in causes],
                    "statuses": [cause.status for cause in causes],
                    "firsts": [cause.first_id for cause in causes],
                    "most": PHOTOS_EACH,
                },
            )
        examples: dict[int, list[Row]] = {}
        for row in rows:
            examples.setdefault(row.n, []).append(row)
        # One whose letters have all gone since they were counted has no example.
        return [_described(cause, examples[n]) for n, cause in enumerate(causes, 1) if n in examples]


def _matches(cause: _Counted, wanted: CauseFilter) -> bool:
    return (
        wanted.stage in (None, cause.stage)
        and wanted.error_type in (None, cause.error_type)
        and wanted.status in (None, cause.status)
    )


def _described(cause: _Counted, examples: Sequence[Row]) -> Cause:
    newest = examples[0]
    return Cause(
        stage=cause.stage,
        error_type=cause.error_type,
        status=cause.status,
        count=cause.count,
        message=newest.message,
        advice=advice(cause.error_type, cause.status),
        can_requeue=any(example.has_run for example in examples),
        photos=[
            PhotoOfFailure(id=row.id, file_name=row.file_name, thumbnail_url=thumbnail_url(row.id, row.thumbnail))
            for row in examples
            if row.id is not None
        ],
        first_at=newest.first_at or cause.last_at,
        last_at=cause.last_at,
    )


def _causes(request: Request, services: ServicesDep) -> Causes:
    state = request.app.state
    if not hasattr(state, "causes"):
        state.causes = Causes(services.sessions)
    causes: Causes = state.causes
    return causes


CausesDep = Annotated[Causes, Depends(_causes)]
