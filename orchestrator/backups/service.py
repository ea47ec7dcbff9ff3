"""When backups are made, and how the last one went."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import structlog
from sqlalchemy import text

from orchestrator.answers import Refused
from orchestrator.backups import kept
from orchestrator.backups.manifest import Why
from orchestrator.backups.writing import Busy, archive_of, begin, write
from orchestrator.db import Sessions, is_passing_trouble
from orchestrator.tasks import end_tasks
from shared.claims import ClaimStore
from shared.errors import KeepersError
from shared.settings import Settings

log = structlog.get_logger()

LOOK_SECONDS = 60.0
AGAIN_AFTER = timedelta(hours=1)  # a backup that failed; or one before an upgrade that fails at every start

_HAS_DATA = text("SELECT EXISTS (SELECT 1 FROM photos)")
# A failure that is dated in the future was noted while a clock was wrong.
_STATE = text(
    "SELECT archive, coalesce(failed_at BETWEEN now() - CAST(:after AS interval) AND now(), false),"
    " EXISTS (SELECT 1 FROM photos) FROM backup_state"
)
_SAY = text(
    "UPDATE backup_state SET problem = CAST(:problem AS text),"
    " failed_at = CASE WHEN CAST(:problem AS text) IS NOT NULL THEN now() END"
)


class Backups:
    """Made every day, before upgrades, and when somebody asks."""

    def __init__(self, settings: Settings, sessions: Sessions, claims: ClaimStore) -> None:
        self._settings = settings
        self._sessions = sessions
        self._claims = claims
        self._asked: set[asyncio.Task[Path]] = set()

    async def run(self) -> None:
        """Make one whenever the newest is a day old, until cancelled."""
        while True:
            await self.keep_up()
            await asyncio.sleep(LOOK_SECONDS)

    async def keep_up(self) -> None:
        """Make one if it is time."""
        try:
            if await self._is_due():
                await self.make("daily")
        except Busy:  # somebody else makes one
            return
        except KeepersError as exc:  # the settings page says it too
            log.warning("backup.failed", error=exc.message)
        except Exception as exc:
            log.warning("backup.failed", exc_info=not is_passing_trouble(exc))

    async def before_upgrade(self) -> None:
        """Of what is in an older schema. Raises KeepersError: without a backup nothing is upgraded."""
        folder = await asyncio.to_thread(kept.require, self._settings)
        async with self._sessions() as session:
            has_data = await session.scalar(_HAS_DATA)
        if not has_data:
            return
        connection = await self._begun()
        try:
            before = await asyncio.to_thread(kept.listed, folder, await archive_of(connection))
            if not _is_younger([one for one in before if one.why == "upgrade"], AGAIN_AFTER):
                path = await write(connection, self._claims, folder, "upgrade")
                log.info("backup.before_upgrade", path=str(path))
        finally:
            connection.terminate()

    async def start(self) -> None:
        """Begin one that goes on in the background. Raises Refused."""
        try:
            folder = kept.require(self._settings)
            connection = await self._begun()
        except Busy as exc:
            raise Refused(409, "busy", exc.message) from exc
        except kept.FolderAway as exc:
            raise Refused(409, "folder_away", exc.message) from exc
        making = asyncio.create_task(self._make(connection, folder, "asked"))
        self._asked.add(making)
        making.add_done_callback(self._ended)

    async def stop(self) -> None:
        await end_tasks(self._asked)

    async def make(self, why: Why) -> Path:
        """Make one now. Raises KeepersError with a sentence, which is kept for the settings page too."""
        try:
            folder = await asyncio.to_thread(kept.require, self._settings)
        except kept.FolderAway as exc:
            await self._say(exc.message)
            raise
        return await self._make(await self._begun(), folder, why)

    async def _make(self, connection: asyncpg.Connection, folder: Path, why: Why) -> Path:
        started = time.monotonic()
        try:
            path = await write(connection, self._claims, folder, why)
        except KeepersError as exc:
            await self._say(exc.message)
            raise
        else:
            await self._say(None)
        finally:
            connection.terminate()  # last: who sees that it is over sees how it went
        size = (await asyncio.to_thread(path.stat)).st_size
        log.info("backup.written", path=str(path), bytes=size, seconds=round(time.monotonic() - started, 1))
        return path

    async def _begun(self) -> asyncpg.Connection:
        assert self._settings.database_url is not None
        return await begin(self._settings.database_url)

    async def _is_due(self) -> bool:
        if not self._settings.backup_every_hours:
            return False
        async with self._sessions() as session:
            archive, failed_lately, has_data = (await session.execute(_STATE, {"after": AGAIN_AFTER})).one()
        if failed_lately or not has_data:
            return False
        there = await asyncio.to_thread(kept.listed, kept.folder_of(self._settings), archive)
        return not _is_younger(there, timedelta(hours=self._settings.backup_every_hours))

    async def _say(self, problem: str | None) -> None:
        async with self._sessions.begin() as session:
            await session.execute(_SAY, {"problem": problem})

    def _ended(self, making: "asyncio.Task[Path]") -> None:
        self._asked.discard(making)
        if not making.cancelled() and (error := making.exception()) is not None:
            log.warning("backup.failed", error=str(error))


def _is_younger(backups: Sequence[kept.Backup], age: timedelta) -> bool:
    """Whether one of these was made within that time."""
    now = datetime.now(UTC)
    newest = kept.newest(backups, now)
    return newest is not None and newest.made_at > now - age
