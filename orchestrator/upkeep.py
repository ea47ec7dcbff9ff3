"""What is done now and then, in the background."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.db import Sessions
from shared.errors import Hold

log = structlog.get_logger()

EVERY_SECONDS = 5.0

Job = Callable[[AsyncSession], Awaitable[None]]


async def keep_up(sessions: Sessions, jobs: Sequence[Job], every_seconds: float = EVERY_SECONDS) -> None:
    """Each job in its own transaction, every few seconds, until cancelled. One that fails is tried again next time."""
    while True:
        await asyncio.sleep(every_seconds)
        for job in jobs:
            try:
                async with sessions.begin() as session:
                    await job(session)
            except Hold as exc:  # something outside is down, not this job
                log.warning("upkeep.held", job=getattr(job, "__name__", repr(job)), cause=exc.message)
            except Exception:  # whatever it is, the other jobs go on and this one is tried again
                log.warning("upkeep.failed", job=getattr(job, "__name__", repr(job)), exc_info=True)
