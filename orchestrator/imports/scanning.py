"""The scans that are under way, a task each. Only the orchestrator that leads has any."""

import asyncio
from contextlib import suppress

import structlog
from sqlalchemy import select
from sqlmodel import col

from orchestrator.db import Sessions, is_passing_trouble
from orchestrator.imports.scan import Scanner
from orchestrator.models import Import
from orchestrator.tasks import end_tasks

log = structlog.get_logger()

LOOK_SECONDS = 1.0


class Scans:
    """Every import that is not scanned to its end is being scanned, also one whose scan a kill interrupted."""

    def __init__(self, sessions: Sessions, scanner: Scanner) -> None:
        self._sessions = sessions
        self._scanner = scanner
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """To be called after a commit that began or ended imports."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                self._woken.clear()
                try:
                    await self._turn()
                except Exception as exc:
                    log.warning("imports.scans_not_seen_to", exc_info=not is_passing_trouble(exc))
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), LOOK_SECONDS)
        finally:
            await end_tasks(self._tasks.values())

    async def _turn(self) -> None:
        async with self._sessions() as session:
            unscanned = select(col(Import.id)).where(col(Import.scanned).is_(False), col(Import.state) != "failed")
            wanted = set((await session.execute(unscanned)).scalars())
        ended = [id_ for id_, task in self._tasks.items() if task.done() or id_ not in wanted]
        await end_tasks([self._tasks.pop(id_) for id_ in ended])
        for id_ in wanted - self._tasks.keys():
            self._tasks[id_] = asyncio.create_task(self._scanner.scan(id_), name=f"scan of import {id_}")
