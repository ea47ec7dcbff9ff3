"""Taking in what came into a watched folder: by the way of every import, but only what is new or changed."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import structlog
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator import events, identity_lock
from orchestrator.db import Sessions
from orchestrator.imports import items, roots
from orchestrator.imports.folders import shown
from orchestrator.imports.recording import read, record
from orchestrator.imports.walk import FoundFile, Unit
from orchestrator.models import ORIGINAL, Import, Root, Watch

log = structlog.get_logger()

QUIET = timedelta(minutes=30)  # new files after so long are an import of their own


class Overtaken(Exception):
    """The watch has ended, or its root lies elsewhere now."""


class _Known(NamedTuple):
    size: int
    mtime_ns: int
    role: str
    is_turned_down: bool


async def strange(session: AsyncSession, root_id: int, units: Sequence[Unit]) -> list[Unit]:
    """Those that are not known by path, size and time. That a known one failed is nothing new, and what was turned
    down may change as it likes."""
    paths = [file.path for unit in units for file in (unit.main, unit.companion) if file]
    rows = await session.execute(
        text(
            "SELECT path, size, mtime_ns, role, rejected_at IS NOT NULL OR deleted_at IS NOT NULL FROM photo_files file"
            " JOIN photos ON photos.id = photo_id WHERE file.root_id = :root AND path = ANY(:paths)"
        ),
        {"root": root_id, "paths": paths},
    )
    known = {path: _Known(*said) for path, *said in rows}
    beside = [file.path for unit in units for file in unit.sidecars]
    rows = await session.execute(
        text("SELECT path, size, mtime_ns FROM sidecars WHERE root_id = :root AND path = ANY(:paths)"),
        {"root": root_id, "paths": beside},
    )
    sidecars = {path: (size, mtime_ns) for path, size, mtime_ns in rows}

    def is_known(file: FoundFile) -> bool:
        one = known.get(file.path)
        return one is not None and (one.is_turned_down or (one.size, one.mtime_ns) == (file.size, file.mtime_ns))

    def is_as_it_was(unit: Unit) -> bool:
        is_pair_known = unit.companion is None or (
            is_known(unit.companion) and known[unit.companion.path].role != ORIGINAL  # else its RAW came after it
        )
        read_before = all(sidecars.get(file.path) == (file.size, file.mtime_ns) for file in unit.sidecars)
        return is_known(unit.main) and is_pair_known and read_before

    return [unit for unit in units if not is_as_it_was(unit)]


class Intake:
    def __init__(self, sessions: Sessions, on_commit: Callable[[], None]) -> None:
        self._sessions = sessions
        self._on_commit = on_commit

    async def take(self, watch_id: int, walked: Root, units: Sequence[Unit]) -> None:
        """Import those of these photographs that are new or changed. Raises Overtaken."""
        async with self._sessions() as session:
            new = await strange(session, walked.id, units)
            opened = await read(session, walked, new)
        if not new:
            return
        async with self._sessions.begin() as session:
            await identity_lock.take(session)
            watch, root = await _load(session, watch_id)
            if (root.id, root.path) != (walked.id, walked.path):
                raise Overtaken
            job = await _import_of(session, watch, root)
            await session.flush()
            count = await record(session, job, root, new, opened)
            await _note(session, watch, job, count)
        log.info("watching.taken", folder=job.label, files=count)
        self._on_commit()


async def _load(session: AsyncSession, watch_id: int) -> tuple[Watch, Root]:
    watch = (await session.execute(select(Watch).where(col(Watch.id) == watch_id).with_for_update())).scalar()
    if watch is None:
        raise Overtaken
    return watch, await roots.by_id(session, watch.root_id)


async def _import_of(session: AsyncSession, watch: Watch, root: Root) -> Import:
    """The import that new files join: the last one while files keep coming, and one that is paused."""
    last = await session.get(Import, watch.import_id, with_for_update=True) if watch.import_id else None
    is_recent = watch.last_new_at is not None and datetime.now(UTC) - watch.last_new_at < QUIET
    if last is not None and (last.state == "paused" or (last.state == "running" and is_recent)):
        return last
    label = shown(root.path) + ("/" + shown(watch.folder) if watch.folder else "")
    job = Import(root_id=root.id, folder=watch.folder, label=label, state="running", scanned=True, is_watched=True)
    session.add(job)
    return job


async def _note(session: AsyncSession, watch: Watch, job: Import, count: int) -> None:
    if count:
        watch.import_id, watch.last_new_at = job.id, datetime.now(UTC)
        await session.flush()
        await items.note_progress(session, [job.id])
    elif job.id != watch.import_id:  # only sidecars had news: nobody looks for an empty import
        await session.delete(job)
        await session.flush()
        await events.record(session, events.IMPORTS, [])
