"""Which orchestrator of those on a database leads: it alone scans, relays, applies answers, watches, trains and keeps
up. The others answer pages, and one of them leads a second or two after it is gone.

The lead is an advisory lock of a connection that does nothing else, so it ends with its process. PostgreSQL may end
that connection some seconds before the leader sees it, and another leads already then: whatever a duty does must bear
to be done by two for a moment. That costs work done twice, never a photo counted twice.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
import structlog

from orchestrator.db import NOTICE_DEATH, plain_dsn
from orchestrator.tasks import end_tasks

log = structlog.get_logger()

LEADING = 0x6C656164  # advisory lock
CHANNEL = "keepers_work"
LOOK_SECONDS = 1.0  # between two tries to lead, or two looks whether the lead is still held
ANSWER_SECONDS = 10.0  # a database that is silent for so long is away
_DATABASE_AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)

Duty = Callable[[], Coroutine[Any, Any, None]]  # Any: what a coroutine may yield and be sent


class DutyEnded(Exception):
    """A duty is for ever: one that ends was ended by a mistake."""


class Lead:
    """`leading` are the duties of the one that leads, `following` those of each other one. `on_ring` tells the leader
    that somebody, perhaps another orchestrator, has committed what it has work with."""

    def __init__(
        self, database_url: str, leading: Sequence[Duty], following: Sequence[Duty], on_ring: Callable[[], None]
    ) -> None:
        self._dsn = plain_dsn(database_url)
        self._leading = leading
        self._following = following
        self._on_ring = on_ring
        self._rung = asyncio.Event()
        self._duties: Sequence[Duty] = ()
        self._tasks: list[asyncio.Task[None]] = []
        self.is_held = False

    def ring(self) -> None:
        """To be called after a commit that the leader has work with."""
        if self.is_held:
            self._on_ring()
        else:
            self._rung.set()

    async def run(self) -> None:
        """Until cancelled; every duty has ended then."""
        try:
            while True:
                try:
                    async with self._connected() as connection:
                        await self._follow_then_lead(connection)
                except _DATABASE_AWAY as exc:
                    log.warning("lead.database_away", error=str(exc))
                except DutyEnded:
                    log.exception("lead.duty_ended")
                await self._do(self._following)
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            await self._do(())

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(self._dsn, timeout=ANSWER_SECONDS, server_settings=NOTICE_DEATH)
        try:
            yield connection
        finally:
            if self.is_held:
                self.is_held = False
                await self._do(())  # before anybody else can lead, if the choice is ours
            connection.terminate()

    async def _follow_then_lead(self, connection: asyncpg.Connection) -> None:
        await connection.add_listener(CHANNEL, lambda *_: self._on_ring())
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LEADING, timeout=ANSWER_SECONDS):
            await self._do(self._following)
            await self._wait_for_a_ring()
            if self._rung.is_set():
                self._rung.clear()
                await connection.execute("SELECT pg_notify($1, '')", CHANNEL, timeout=ANSWER_SECONDS)
        self.is_held = True
        self._rung.clear()
        log.info("lead.taken")
        await self._do(self._leading)
        while True:
            await self._wait_for_a_ring()
            await connection.execute("SELECT 1", timeout=ANSWER_SECONDS)  # raises when the lead was lost

    async def _wait_for_a_ring(self) -> None:
        for task in self._tasks:
            if task.done():
                raise DutyEnded from None if task.cancelled() else task.exception()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._rung.wait(), LOOK_SECONDS)

    async def _do(self, duties: Sequence[Duty]) -> None:
        if duties is not self._duties or any(task.done() for task in self._tasks):
            await end_tasks(self._tasks)
            self._duties, self._tasks = duties, [asyncio.create_task(duty()) for duty in duties]
