"""Counts for the filter rail.

Counting is O(photos) even from an index alone, so a count is kept, and counted again only after it has rested for
`_REST` times as long as it took: however large the archive, counting takes at most a twentieth of one connection.
Who asks in between gets the count at hand, which says the last event it knows of; who asks first waits for it.
"""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass

from sqlalchemy import text

from orchestrator.db import Sessions
from orchestrator.live import Live
from orchestrator.photos.selection import LEAST_FOR_PROJECTS
from orchestrator.photos.views import Counts
from orchestrator.taste.service import MATCH_SCORE

_REST = 20.0
_LEAST_REST_SECONDS = 0.5
_MOST_KEPT = 64

# Each of photos is an index-only scan of the partial index with the same condition.
_ARCHIVE = f"""
SELECT *, "all" - unrated AS rated, "all" - match AS nomatch FROM (SELECT
 (SELECT count(*) FROM photos WHERE preview IS NOT NULL AND rejected_at IS NULL AND deleted_at IS NULL) AS "all",
 (SELECT count(*) FROM photos WHERE preview IS NOT NULL AND rejected_at IS NULL AND deleted_at IS NULL
   AND user_rating IS NULL) AS unrated,
 CASE WHEN (SELECT is_trusted FROM taste_state) THEN
   (SELECT count(*) FROM photos WHERE preview IS NOT NULL AND rejected_at IS NULL AND deleted_at IS NULL
     AND (manual_match OR preference_score >= {MATCH_SCORE}))
  ELSE (SELECT count(*) FROM photos WHERE preview IS NOT NULL AND rejected_at IS NULL AND deleted_at IS NULL
     AND manual_match) END AS match,
 (SELECT count(*) FROM photos WHERE preview IS NOT NULL AND rejected_at IS NULL AND deleted_at IS NULL
   AND user_rating >= {LEAST_FOR_PROJECTS} AND project_id IS NULL) AS for_projects,
 (SELECT coalesce(sum(size), 0)::bigint FROM bursts WHERE size > 1) AS bursts,
 (SELECT count(*) FROM photos WHERE preview IS NOT NULL AND rejected_at IS NOT NULL AND deleted_at IS NULL) AS rejected,
 (SELECT count(DISTINCT r.photo_id) FROM stage_runs r JOIN photos p ON p.id = r.photo_id
   WHERE r.state = 'failed' AND p.deleted_at IS NULL) AS failed) counted
"""
_PROJECT = f"""
SELECT count(*) FILTER (WHERE visible) AS "all", count(*) FILTER (WHERE visible AND is_match) AS match,
  count(*) FILTER (WHERE visible AND NOT is_match) AS nomatch, 0 AS for_projects,
  count(*) FILTER (WHERE visible AND user_rating IS NULL) AS unrated,
  count(*) FILTER (WHERE visible AND user_rating IS NOT NULL) AS rated,
  count(*) FILTER (WHERE visible AND burst_dissolved_at IS NULL
    AND burst_id IN (SELECT id FROM bursts WHERE size > 1)) AS bursts,
  count(*) FILTER (WHERE preview IS NOT NULL AND rejected_at IS NOT NULL) AS rejected,
  count(*) FILTER (WHERE EXISTS (SELECT 1 FROM stage_runs r WHERE r.photo_id = p.id AND r.state = 'failed')) AS failed
FROM (SELECT *, preview IS NOT NULL AND rejected_at IS NULL AS visible,
  manual_match OR (coalesce(preference_score, 0) >= {MATCH_SCORE}
    AND (SELECT is_trusted FROM taste_state)) AS is_match FROM photos
  WHERE project_id = (SELECT id FROM projects WHERE name = :project) AND deleted_at IS NULL) p
"""


@dataclass
class _Kept:
    counts: Counts
    good_until: float


class PhotoCounts:
    """The counts of the archive and of single projects, each kept for a while."""

    def __init__(self, sessions: Sessions, live: Live) -> None:
        self._sessions = sessions
        self._live = live
        self._kept: OrderedDict[str | None, _Kept] = OrderedDict()
        self._counting: dict[str | None, asyncio.Task[Counts]] = {}

    async def of(self, project: str | None) -> Counts:
        kept = self._kept.get(project)
        if kept is None:
            return await asyncio.shield(self._recount(project))
        if kept.good_until < time.monotonic():
            self._recount(project)
        return kept.counts

    def _recount(self, project: str | None) -> asyncio.Task[Counts]:
        if project not in self._counting:
            task = asyncio.create_task(self._count(project))
            task.add_done_callback(lambda done: self._finished(project, done))
            self._counting[project] = task
        return self._counting[project]

    def _finished(self, project: str | None, task: asyncio.Task[Counts]) -> None:
        del self._counting[project]
        if not task.cancelled():
            task.exception()  # who waits for it sees it; nobody need wait

    async def _count(self, project: str | None) -> Counts:
        started = time.monotonic()
        event = self._live.last_id
        async with self._sessions() as session:
            row = (await session.execute(text(_PROJECT if project else _ARCHIVE), {"project": project})).one()
        took = time.monotonic() - started
        rest = max(_LEAST_REST_SECONDS, took * _REST)
        self._kept[project] = _Kept(Counts(**row._mapping, as_of_event=event), started + took + rest)
        self._kept.move_to_end(project)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return self._kept[project].counts
