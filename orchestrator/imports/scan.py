"""Scanning: a walk in a thread, recorded in chunks with a cursor, so that a killed scan goes on where it was."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import structlog
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator import events
from orchestrator.db import Sessions
from orchestrator.imports import items, roots
from orchestrator.imports.folders import is_inside, shown
from orchestrator.imports.recording import known_paths, record
from orchestrator.imports.walk import Folder, Unit, walk
from orchestrator.models import Import, Root
from shared.settings import Settings

log = structlog.get_logger()

CHUNK = 1_000
OFFLINE_SECONDS = 2.0


class Scanner:
    """Scans one import after another takes its turn; each in its own task. Survives a root that goes away."""

    def __init__(self, sessions: Sessions, settings: Settings, on_commit: Callable[[], None]) -> None:
        self._sessions = sessions
        self._settings = settings
        self._on_commit = on_commit

    async def scan(self, import_id: int) -> None:
        """From the cursor to the end. What cannot be scanned ends as a sentence on the import."""
        while True:
            try:
                await self._scan(import_id)
                return
            except OSError as exc:
                if not await self._explain(import_id, exc):
                    return
                await asyncio.sleep(OFFLINE_SECONDS)
            except Exception:
                log.exception("imports.scan_failed", import_id=import_id)
                await self._fail(
                    import_id, "Keepers made a mistake while it read this folder; the log has the details."
                )
                return

    async def _scan(self, import_id: int) -> None:
        job, root = await self._load(import_id)
        if job.state == "cancelled" or job.scanned:
            return
        if job.sample is None:
            await self._scan_all(job, root)
        else:
            await self._scan_sample(job, root, job.sample)
        async with self._sessions.begin() as session:
            await session.execute(
                text(
                    "UPDATE imports SET scanned = true, error = NULL,"
                    " state = CASE WHEN state = 'scanning' THEN 'running' ELSE state END WHERE id = :id"
                ),
                {"id": import_id},
            )
            await items.note_progress(session, [import_id])
        log.info("imports.scanned", import_id=import_id)
        self._on_commit()

    async def _scan_all(self, job: Import, root: Root) -> None:
        async for folder in self._folders(job, root):
            for start in range(0, max(1, len(folder.units)), CHUNK):
                chunk = folder.units[start : start + CHUNK]
                is_last = start + CHUNK >= len(folder.units)
                if not await self._record(job.id, chunk, folder if is_last else None):
                    return

    async def _record(self, import_id: int, units: Sequence[Unit], finished: Folder | None) -> bool:
        """One chunk, one transaction, cursor included. False when the import was cancelled meanwhile."""
        async with self._sessions.begin() as session:
            job, root = await _load(session, import_id, lock=True)
            if job.state == "cancelled":
                return False
            await record(session, job, root, units, only_new=False)
            if finished is not None:
                job.cursor = finished.path
                job.left_alone = dict(Counter(job.left_alone) + finished.left_alone)
                job.error = None
            await events.record(session, events.IMPORTS, [import_id])
        self._on_commit()
        return True

    async def _scan_sample(self, job: Import, root: Root, wanted: int) -> None:
        """A uniform sample of what is new: every unknown path is a candidate, drawn in random order until enough
        have turned out to be new photos."""
        candidates: list[Unit] = []
        left_alone: Counter[str] = Counter()
        async for folder in self._folders(job, root):
            left_alone += folder.left_alone
            paths = [file.path for unit in folder.units for file in (unit.main, unit.companion) if file]
            async with self._sessions() as session:
                known = await known_paths(session, root.id, paths)
            candidates += [
                unit
                for unit in folder.units
                if unit.main.path not in known and not (unit.companion and unit.companion.path in known)
            ]
        random.Random(job.id).shuffle(candidates)
        async with self._sessions.begin() as session:
            job, root = await _load(session, job.id, lock=True)
            taken = 0
            while candidates and taken < wanted and job.state != "cancelled":
                chunk = candidates[: min(CHUNK, wanted - taken)]
                del candidates[: len(chunk)]
                taken += await record(session, job, root, chunk, only_new=True)
            job.left_alone = dict(left_alone)

    async def _folders(self, job: Import, root: Root) -> AsyncIterator[Folder]:
        cursor = job.cursor if job.sample is None else None
        if job.folder == b"" and await asyncio.to_thread(roots.is_empty_or_missing, Path(os.fsdecode(root.path))):
            raise FileNotFoundError(shown(root.path))
        folders = walk(root.path, job.folder, cursor, self._may_follow)
        while (folder := await asyncio.to_thread(_next, folders)) is not None:
            yield folder

    def _may_follow(self, target: bytes) -> bool:
        allowed = self._settings.library_roots
        return allowed is None or is_inside(Path(os.fsdecode(target)), allowed)

    async def _load(self, import_id: int) -> tuple[Import, Root]:
        async with self._sessions() as session:
            return await _load(session, import_id)

    async def _explain(self, import_id: int, error: OSError) -> bool:
        """Say why the scan waits. False when the import is over."""
        async with self._sessions.begin() as session:
            job, root = await _load(session, import_id, lock=True)
            if job.state == "cancelled":
                return False
            folder = shown(os.path.join(root.path, job.folder))
            job.error = f"{folder} is not connected: the import goes on when it is back ({error.strerror or error})."
            await events.record(session, events.IMPORTS, [import_id])
        log.warning("imports.scan_waits", import_id=import_id, error=str(error))
        return True

    async def _fail(self, import_id: int, sentence: str) -> None:
        async with self._sessions.begin() as session:
            await session.execute(
                text("UPDATE imports SET state = 'failed', scanned = true, error = :error WHERE id = :id"),
                {"id": import_id, "error": sentence},
            )
            await items.note_progress(session, [import_id])


async def _load(session: AsyncSession, import_id: int, *, lock: bool = False) -> tuple[Import, Root]:
    statement = select(Import).where(col(Import.id) == import_id)
    job = (await session.execute(statement.with_for_update() if lock else statement)).scalar_one()
    return job, await roots.by_id(session, job.root_id)


def _next(folders: Iterator[Folder]) -> Folder | None:
    return next(folders, None)
