"""Starting, pausing, resuming and cancelling imports. The only writer of imports beside the scan and the results."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator import events, identity_lock, runs
from orchestrator.answers import Refused
from orchestrator.db import Sessions
from orchestrator.imports import bucket_roots, items, roots
from orchestrator.imports.folders import allowed, shown
from orchestrator.models import Import
from orchestrator.projects import service as projects
from orchestrator.watching import service as watching
from shared.bucket_address import BucketAddress
from shared.settings import Settings

log = structlog.get_logger()

OPEN_STATES = ("scanning", "running", "paused")


@dataclass(frozen=True)
class Wish:
    """What the person asked for."""

    where: Path | BucketAddress
    sample: int | None = None
    project: str | None = None
    is_watched: bool = False  # go on with what comes later


class Imports:
    """The rows of imports. `on_change` is called when one was begun or ended: the orchestrator that leads scans."""

    def __init__(self, sessions: Sessions, settings: Settings, on_change: Callable[[], None]) -> None:
        self._sessions = sessions
        self._settings = settings
        self._on_change = on_change

    async def start(self, wish: Wish) -> int:
        """The id of a new import, which is to be scanned. Raises Refused with the sentence why not."""
        why_not = await self._why_not(wish)
        if why_not:
            raise Refused(422, "folder_refused", why_not)
        where = wish.where if isinstance(wish.where, BucketAddress) else await asyncio.to_thread(wish.where.resolve)
        async with self._sessions.begin() as session:
            place = await self._place(session, where)
            job = Import(
                root_id=place.root.id,
                folder=place.folder,
                label=shown(str(where)),
                sample=wish.sample,
                project_id=await projects.named(session, wish.project),
            )
            session.add(job)
            if wish.is_watched:
                await watching.switch_on(session, place.root.id, place.folder)
            await session.flush()
            await events.record(session, events.IMPORTS, [job.id])
        log.info("imports.started", import_id=job.id, folder=job.label, correlation_id=runs.correlation_id(job.id))
        self._on_change()
        return job.id

    async def _why_not(self, wish: Wish) -> str | None:
        if not isinstance(wish.where, BucketAddress):
            return await asyncio.to_thread(allowed, wish.where, self._settings)
        if wish.is_watched:
            return bucket_roots.NOT_WATCHED.format(wish.where)
        return await asyncio.to_thread(bucket_roots.allowed, wish.where, self._settings)

    async def _place(self, session: AsyncSession, where: Path | BucketAddress) -> roots.RootedFolder:
        if isinstance(where, BucketAddress):
            return await bucket_roots.place(session, where, self._settings)
        return await roots.place(session, where, self._settings.library_roots)

    async def pause(self, import_id: int) -> None:
        """What is in work is finished, nothing more is begun. A scan goes on: it costs nothing and shows the total."""
        async with self._sessions.begin() as session:
            job = await _open(session, import_id)
            job.state = "paused"
            await events.record(session, events.IMPORTS, [import_id])

    async def resume(self, import_id: int) -> None:
        async with self._sessions.begin() as session:
            job = await _open(session, import_id)
            job.state = "running" if job.scanned else "scanning"
            await events.record(session, events.IMPORTS, [import_id])

    async def cancel(self, import_id: int) -> None:
        """What waits counts as skipped, and photos nobody has seen yet are forgotten: a later import takes them."""
        async with self._sessions.begin() as session:
            await identity_lock.take(session)
            job = await _open(session, import_id)
            job.state, job.scanned = "cancelled", True
            await session.flush()
            await _cancel_runs(session, import_id)
            await items.note_progress(session, [import_id])
            await events.record(session, events.PHOTOS, [])
        self._on_change()


async def _open(session: AsyncSession, import_id: int) -> Import:
    job = (await session.execute(select(Import).where(col(Import.id) == import_id).with_for_update())).scalar()
    if job is None:
        raise Refused(404, "unknown_import", "There is no import with this number.")
    if job.state not in OPEN_STATES or job.finished_at is not None:
        raise Refused(409, "import_over", "This import is over: start a new one.")
    return job


async def _cancel_runs(session: AsyncSession, import_id: int) -> None:
    """Photos that another open import waits for as well are left to it. Answers to what is in work find nothing
    that waits for them."""
    rows = await session.execute(
        text(
            "UPDATE import_items SET state = 'skipped', reason = 'cancelled', changed_at = now()"
            " WHERE import_id = :job AND state = 'pending' RETURNING photo_id"
        ),
        {"job": import_id},
    )
    photo_ids = {photo_id for photo_id in rows.scalars() if photo_id is not None}
    heirs = await session.execute(
        text(
            "UPDATE stage_runs SET import_id = heir.job FROM (SELECT photo_id, max(import_id) AS job FROM import_items"
            " WHERE photo_id = ANY(:photos) AND state = 'pending' GROUP BY 1) AS heir"
            " WHERE stage_runs.photo_id = heir.photo_id RETURNING heir.photo_id"
        ),
        {"photos": list(photo_ids)},
    )
    unwanted = list(photo_ids - set(heirs.scalars()))
    await session.execute(
        text(
            "UPDATE stage_runs SET state = 'cancelled', hold_key = NULL, finished_at = now()"
            " WHERE photo_id = ANY(:photos) AND stage = 'convert'"
            " AND state IN ('queued', 'published', 'retrying', 'held')"
        ),
        {"photos": unwanted},
    )
    await session.execute(
        text(
            "DELETE FROM photos WHERE id = ANY(:photos) AND preview IS NULL AND content_hash IS NULL AND NOT EXISTS ("
            "SELECT 1 FROM import_items WHERE photo_id = photos.id AND import_id <> :job)"
        ),
        {"photos": unwanted, "job": import_id},
    )
