"""Scanning: a walk in a thread, recorded in chunks with a cursor, so that a killed scan goes on where it was."""

import asyncio
import errno
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import structlog
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator import events, identity_lock, runs
from orchestrator.db import Sessions, is_passing_trouble
from orchestrator.imports import items, roots
from orchestrator.imports.folders import may_read, shown
from orchestrator.imports.matching import hash_ends
from orchestrator.imports.recording import Read, known_paths, read, record
from orchestrator.imports.walk import MAX_LEFT_ALONE_KINDS, Folder, Permissions, Unit, is_set_aside
from orchestrator.models import Import, Root
from orchestrator.places.opening import place_of
from orchestrator.places.place import Place
from shared import trace
from shared.errors import BucketAway, OutsideRoots
from shared.originals_bucket import OriginalsBuckets
from shared.settings import Settings

log = structlog.get_logger()

CHUNK = 1_000
RETRY_SECONDS = 2.0


class FolderAway(Exception):
    """The folder cannot be read now; its drive may come back."""

    def __init__(self, error: OSError) -> None:
        super().__init__(error.strerror or str(error))
        self.errno = error.errno


class Overtaken(Exception):
    """What this scan started from has changed: another orchestrator scans as well, or the root became part of a
    larger one."""


class Scanner:
    """Scans one import; each runs in its own task. Survives a root or a database that goes away."""

    def __init__(self, sessions: Sessions, settings: Settings, on_commit: Callable[[], None]) -> None:
        self._sessions = sessions
        self._buckets = OriginalsBuckets(settings)
        self._on_commit = on_commit
        self._permissions = permissions_of(settings)

    async def scan(self, import_id: int) -> None:
        """From the cursor to the end. What cannot be scanned ends as a sentence on the import."""
        while True:
            if await self._is_over(import_id):
                return
            await asyncio.sleep(RETRY_SECONDS)

    async def _is_over(self, import_id: int) -> bool:
        """Whether there is nothing to come back for."""
        try:
            try:
                await self._scan(import_id)
            except (FolderAway, BucketAway) as exc:
                return not await self._explain(import_id, exc)
            except OutsideRoots:
                await self._fail(
                    import_id, "Keepers may not read this place any more: PHOTO_LIBRARIES does not name it."
                )
            except Overtaken:
                return False
            except Exception as exc:
                if is_passing_trouble(exc):
                    raise
                log.exception("imports.scan_failed", import_id=import_id)
                await self._fail(
                    import_id, "Keepers made a mistake while it read this folder; the log has the details."
                )
        except Exception as exc:
            if not is_passing_trouble(exc):
                raise
            log.warning("imports.database_away", import_id=import_id, error=str(exc).partition("\n")[0])
            return False
        return True

    async def _scan(self, import_id: int) -> None:
        async with self._sessions() as session:
            job, root = await _load(session, import_id)
        trace.bind(job.trace_id, correlation_id=runs.correlation_id(import_id))  # in the task of this scan alone
        if job.state == "cancelled" or job.scanned:
            return
        if job.sample is None:
            await self._scan_all(job, root)
        else:
            await self._scan_sample(job, root, job.sample)
        async with self._sessions.begin() as session:
            await identity_lock.take(session)
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
        cursor = job.cursor
        async for folder in self._folders(job, root):
            for start in range(0, max(1, len(folder.units)), CHUNK):
                chunk = folder.units[start : start + CHUNK]
                is_last = start + CHUNK >= len(folder.units)
                if not await self._record(job.id, root, cursor, chunk, folder if is_last else None):
                    return
            cursor = folder.path

    async def _record(
        self, import_id: int, walked: Root, cursor: bytes | None, units: Sequence[Unit], finished: Folder | None
    ) -> bool:
        """One chunk, one transaction, cursor included. False when the import was cancelled meanwhile."""
        opened = await self._read(walked, units)
        async with self._sessions.begin() as session:
            await identity_lock.take(session)
            job, root = await _load(session, import_id, lock=True)
            if job.state == "cancelled":
                return False
            if job.cursor != cursor or root.id != walked.id or job.scanned:
                raise Overtaken
            await record(session, job, root, units, opened)
            job.error = None
            if finished is not None:
                job.cursor = finished.path
                job.left_alone = dict(_capped(Counter(job.left_alone) + finished.left_alone))
            await events.record(session, events.IMPORTS, [import_id])
        self._on_commit()
        return True

    async def _read(self, root: Root, units: Sequence[Unit]) -> Read:
        async with self._sessions() as session:
            return await read(session, root, units)

    async def _scan_sample(self, job: Import, root: Root, wanted: int) -> None:
        """A uniform sample of what is new: every unknown path is a candidate, drawn in random order until enough
        have turned out to be new photos. A scan that was killed draws what is missing."""
        candidates = await self._candidates(job, root)
        sizes = Counter(unit.main.size for unit in candidates)
        drawn: set[str] = set()
        is_missing_some = True
        while candidates and is_missing_some:
            size = min(CHUNK, wanted)
            chunk, candidates[-size:] = candidates[-size:], []
            chunk = await self._without_twins(root, chunk, sizes, drawn)
            is_missing_some = await self._draw(job.id, root, wanted, chunk)

    async def _candidates(self, job: Import, root: Root) -> list[Unit]:
        """In random order."""
        candidates: list[Unit] = []
        left_alone: Counter[str] = Counter()
        async for folder in self._folders(job, root):
            left_alone = _capped(left_alone + folder.left_alone)
            paths = [file.path for unit in folder.units for file in (unit.main, unit.companion) if file]
            async with self._sessions() as session:
                known = await known_paths(session, root.id, paths)
            candidates += [
                unit
                for unit in folder.units
                if unit.main.path not in known and not (unit.companion and unit.companion.path in known)
            ]
        async with self._sessions.begin() as session:
            job, _ = await _load(session, job.id, lock=True)
            job.left_alone, job.error = dict(left_alone), None
        random.Random(job.id).shuffle(candidates)
        return candidates

    async def _without_twins(
        self, root: Root, units: Sequence[Unit], sizes: Counter[int], drawn: set[str]
    ) -> list[Unit]:
        """Two new files with the same bytes are one new photo."""
        alike = [unit.main for unit in units if sizes[unit.main.size] > 1]
        ends = await asyncio.to_thread(hash_ends, self._place(root), alike)
        kept: list[Unit] = []
        for unit in units:
            hashed = ends.get(unit.main.path)
            if hashed is None or hashed not in drawn:
                kept.append(unit)
            drawn |= {hashed} if hashed else set()
        return kept

    async def _draw(self, import_id: int, walked: Root, wanted: int, units: Sequence[Unit]) -> bool:
        """Whether photos are still missing after these."""
        opened = await self._read(walked, units)
        async with self._sessions.begin() as session:
            await identity_lock.take(session)
            job, root = await _load(session, import_id, lock=True)
            if root.id != walked.id or job.scanned:
                raise Overtaken
            missing = wanted - await items.count(session, import_id)
            while units and missing > 0 and job.state != "cancelled":
                part, units = units[:missing], units[missing:]
                missing -= await record(session, job, root, part, opened, only_new=True)
            await events.record(session, events.IMPORTS, [import_id])
        self._on_commit()
        return missing > 0 and job.state != "cancelled"

    async def _folders(self, job: Import, root: Root) -> AsyncIterator[Folder]:
        cursor = job.cursor if job.sample is None else None
        place = self._place(root)
        if job.folder == b"" and await asyncio.to_thread(place.is_away):
            raise FolderAway(FileNotFoundError(errno.ENOENT, "it is missing or empty"))
        folders = place.folders(job.folder, cursor, self._permissions)
        while (folder := await asyncio.to_thread(_next, folders)) is not None:
            yield folder

    def _place(self, root: Root) -> Place:
        return place_of(root, self._buckets)

    async def _explain(self, import_id: int, trouble: FolderAway | BucketAway) -> bool:
        """Say why the scan waits. False when the import is over."""
        async with self._sessions.begin() as session:
            job, root = await _load(session, import_id, lock=True)
            if job.state == "cancelled":
                return False
            job.error = _sentence(shown(os.path.join(root.path, job.folder).rstrip(b"/")), trouble)
            await events.record(session, events.IMPORTS, [import_id])
        log.warning("imports.scan_waits", import_id=import_id, error=str(trouble))
        return True

    async def _fail(self, import_id: int, sentence: str) -> None:
        async with self._sessions.begin() as session:
            await identity_lock.take(session)
            await session.execute(
                text("UPDATE imports SET state = 'failed', scanned = true, error = :error WHERE id = :id"),
                {"id": import_id, "error": sentence},
            )
            await items.note_progress(session, [import_id])


def permissions_of(settings: Settings) -> Permissions:
    """Keepers' own data holds no photographs, what was set aside is known, and links lead only where imports may
    read."""
    own = os.fsencode(os.path.realpath(settings.keepers_home))
    return Permissions(
        may_enter=lambda folder: folder != own and not folder.startswith(own + b"/") and not is_set_aside(folder),
        may_follow=lambda target: may_read(Path(os.fsdecode(target)).parent, settings) is None,
    )


def _sentence(folder: str, trouble: FolderAway | BucketAway) -> str:
    if isinstance(trouble, BucketAway):
        return f"{trouble.message} The import goes on when it can."
    if trouble.errno in (errno.EACCES, errno.EPERM):
        return f"Keepers may not read {folder}: the import goes on when it may."
    if trouble.errno in (errno.ENOENT, errno.ENOTDIR):
        return f"{folder} is not connected: the import goes on when it is back."
    return f"{folder} cannot be read ({trouble}): the import goes on when it can."


def _capped(left_alone: Counter[str]) -> Counter[str]:
    """Kinds come from strangers' file names: the commonest keep theirs."""
    if len(left_alone) <= MAX_LEFT_ALONE_KINDS:
        return left_alone
    named = Counter(dict(left_alone.most_common(MAX_LEFT_ALONE_KINDS - 1)))
    named["other"] += left_alone.total() - named.total()
    return named


async def _load(session: AsyncSession, import_id: int, *, lock: bool = False) -> tuple[Import, Root]:
    statement = select(Import).where(col(Import.id) == import_id)
    job = (await session.execute(statement.with_for_update() if lock else statement)).scalar_one()
    return job, await roots.by_id(session, job.root_id)


def _next(folders: Iterator[Folder]) -> Folder | None:
    """The errors of the walk, told apart from those of the database."""
    try:
        return next(folders, None)
    except OSError as exc:
        raise FolderAway(exc) from exc
