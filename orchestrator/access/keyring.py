"""The lock in force, known to this process without asking the database for every picture."""

import asyncio
import time
from collections.abc import Callable
from typing import Literal

import structlog
from sqlalchemy.exc import SQLAlchemyError

from orchestrator.access import service
from orchestrator.access.logins import Lock
from orchestrator.access.passwords import hashed
from orchestrator.db import Sessions, is_passing_trouble
from orchestrator.models import Access
from orchestrator.tasks import end_tasks
from shared.settings import Settings

Guard = Literal["password", "network", "machine"]  # what keeps others out: the last, that none is answered

log = structlog.get_logger()

FRESH_SECONDS = 2.0  # a password set by another process is in force after so long


class Keyring:
    def __init__(
        self,
        sessions: Sessions,
        settings: Settings,
        on_changed: Callable[[], None],
        fresh_seconds: float = FRESH_SECONDS,
    ) -> None:
        """`on_changed` is called when another password is in force than before."""
        self._sessions = sessions
        self._settings = settings
        self._on_changed = on_changed
        self._fresh_seconds = fresh_seconds
        self._lock: Lock | None = None
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()
        self._looking: asyncio.Task[None] | None = None

    async def lock(self) -> Lock:
        """What opens the pages now. While the database is away, what did so last."""
        if self._is_old():
            async with self._reading:
                if self._is_old():
                    await self._read()
        assert self._lock is not None
        return self._lock

    async def guard(self) -> Guard:
        if (await self.lock()).password_hash is not None:
            return "password"
        return "network" if self._settings.trusted_network else "machine"

    async def start(self) -> None:
        """Look for a new password from now on: open streams, on which nobody asks anything, end with the old one."""
        self._looking = asyncio.create_task(self._look())

    async def stop(self) -> None:
        if self._looking:
            await end_tasks([self._looking])

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(self._fresh_seconds)
            try:
                await self.lock()
            except (SQLAlchemyError, OSError):
                log.warning("access.unreadable", exc_info=True)

    def _is_old(self) -> bool:
        return time.monotonic() - self._read_at > self._fresh_seconds

    async def _read(self) -> None:
        try:
            async with self._sessions() as session:
                await self._take(await service.stored(session))
        except (SQLAlchemyError, OSError) as exc:
            if self._lock is None or not is_passing_trouble(exc):
                raise
            self._read_at = time.monotonic()

    async def _take(self, stored: Access) -> None:
        before, self._lock = self._lock, Lock(stored.signing_key, await self._password_hash(stored))
        self._read_at = time.monotonic()
        if before is not None and before != self._lock:
            self._on_changed()

    async def _password_hash(self, stored: Access) -> str | None:
        password = self._settings.keepers_password
        if password is None:
            return stored.password_hash
        if self._lock is not None and self._lock.signing_key == stored.signing_key:
            return self._lock.password_hash  # settings do not change while a process lives
        # Salted with the key, so that all orchestrators that were given this password make the same of it.
        return await asyncio.to_thread(hashed, password.get_secret_value(), stored.signing_key.encode())
