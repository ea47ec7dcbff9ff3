"""The keeper of the taste: starts trainings when they are due, puts what they give in force, has photos re-scored.

It decides from the database alone, so it may be killed between any two steps and started again.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import structlog

from orchestrator.db import Sessions, is_passing_trouble
from orchestrator.taste import jobs, training
from orchestrator.taste.artifacts import Artifacts
from orchestrator.taste.scoring import PER_BATCH, Scoring
from shared.claims import ClaimStore

log = structlog.get_logger()

TICK_SECONDS = 1.0
REST_SECONDS = 0.1
TIDY_SECONDS = 3600.0


class Keeper:
    def __init__(
        self,
        sessions: Sessions,
        claims: ClaimStore,
        artifacts: Artifacts,
        window_seconds: float,
        on_queued: Callable[[], None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        per_batch: int = PER_BATCH,
    ) -> None:
        self._sessions = sessions
        self._claims = claims
        self._artifacts = artifacts
        self._window_seconds = window_seconds
        self._on_queued = on_queued
        self._clock = clock
        self._scoring = Scoring(sessions, claims, artifacts, per_batch)
        self._woken = asyncio.Event()
        self._tidy_at = 0.0

    def wake(self) -> None:
        """Answers were applied. During a re-score that makes room for the next batch; else the next tick is soon
        enough, and what lands in a second is scored together."""
        if self._scoring.is_rescoring:
            self._woken.set()

    async def run(self) -> None:
        """Until cancelled. A turn that fails, because the database is away or the disk full, is taken again."""
        while True:
            self._woken.clear()
            try:
                await self.turn()
            except Exception as exc:
                error = str(exc).partition("\n")[0]
                log.warning("taste.turn_failed", error=error, exc_info=not is_passing_trouble(exc))
                await asyncio.sleep(TICK_SECONDS)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), TICK_SECONDS)
            await asyncio.sleep(REST_SECONDS)

    async def turn(self) -> None:
        now = self._clock()
        await training.note_failures(self._sessions, now)
        await training.accept(self._sessions, self._artifacts, now)
        await training.follow_embeddings(self._sessions)
        has_queued = await self._scoring.turn()
        started = await training.start_if_due(self._sessions, self._claims, now, self._window_seconds)
        if has_queued or started is not None:
            self._on_queued()
        if time.monotonic() >= self._tidy_at:
            self._tidy_at = time.monotonic() + TIDY_SECONDS
            await jobs.remove_orphans(self._sessions, self._claims)
