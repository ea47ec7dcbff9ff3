"""Exports: one at a time, each in a thread that no stop waits for. What they have done is in the folder, and the same
export again goes on from there. How far they are is noted for the other orchestrators of the database."""

import asyncio
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.answers import Refused
from orchestrator.db import Sessions, is_passing_trouble
from orchestrator.export import manifest as manifests
from orchestrator.export import queries, records, target
from orchestrator.export.disk import Busy
from orchestrator.export.exporter import Job, Progress, Stopped, export
from orchestrator.export.full_size import FullSize
from orchestrator.export.manifest import Manifest, ManifestBroken
from orchestrator.export.views import ExportView, NotExported
from orchestrator.imports.folders import shown
from orchestrator.tasks import end_tasks
from shared.claims import ClaimStore
from shared.errors import Hold
from shared.settings import Settings

log = structlog.get_logger()

PATIENCE_SECONDS = 20.0  # with a drive that does not answer
SAY_SECONDS = 1.0  # between two notes of how far an export is
_MOST_NAMED = 100


@dataclass(frozen=True)
class Wish:
    target: Path
    project: str | None = None
    full_size: bool = False
    gps: bool = False
    dry_run: bool = False
    refresh: bool = False


@dataclass
class Export:
    """One that is being made."""

    wish: Wish
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    progress: Progress = field(default_factory=Progress)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def view(self) -> ExportView:
        seen, wish = self.progress, self.wish
        named = [NotExported(photo_id=one.id, file_name=one.file_name, message=why) for one, why in seen.left]
        counts = ("total", "done", "exported", "already", "updated", "withdrawn")
        return ExportView.model_validate(
            {
                **{"id": self.id, "state": "running", "error": None},
                **{"started_at": self.started_at, "finished_at": None},
                **{name: getattr(wish, name) for name in ("project", "full_size", "gps", "dry_run", "refresh")},
                **{name: getattr(seen, name) for name in counts},
                "target": shown(wish.target),
                "left": len(named),
                "not_exported": named[:_MOST_NAMED],
            }
        )


class Exports:
    """Made on the event loop."""

    def __init__(
        self,
        sessions: Sessions,
        claims: ClaimStore,
        settings: Settings,
        wake: Callable[[], None],
        trouble_of: Callable[[str], str | None],
    ) -> None:
        self._sessions = sessions
        self._claims = claims
        self._settings = settings
        self._full_size = FullSize(sessions, claims, wake, trouble_of)
        self._running: Export | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, wish: Wish) -> ExportView:
        """Refused when the folder cannot be exported to, or another export runs."""
        lock, made = self._sessions(), Export(wish)
        try:
            # The locks alone do not do: they are gone with their connection, and the export goes on.
            if self._running or not await records.take_the_locks(lock, made.id):
                raise Refused(409, "export_running", "Another export is running. Start this one when it is done.")
            job = await self._prepare(wish)
            async with self._sessions.begin() as session:
                await records.write(session, made.view())
        except BaseException:
            await lock.close()
            raise
        self._running = made
        self._task = asyncio.create_task(self._see_through(made, job, lock), name="export")
        return made.view()

    async def find(self, export_id: str) -> ExportView:
        if self._running and self._running.id == export_id:
            return self._running.view()
        async with self._sessions() as session:
            found = await records.find(session, export_id)
        if found is None:
            raise Refused(404, "unknown_export", "This export is not known. Export again, and it goes on.")
        return found

    async def end(self, export_id: str) -> ExportView:
        """Ask it to end at the next photo. Of one that is over already nothing changes."""
        if self._running and self._running.id == export_id:
            self._running.progress.is_to_stop = True
        seen = await self.find(export_id)
        if seen.state == "running" and self._running is None:
            raise Refused(409, "runs_elsewhere", "Another orchestrator makes this export. Restart that one to end it.")
        return seen

    async def newest(self) -> ExportView | None:
        if self._running:
            return self._running.view()
        async with self._sessions() as session:
            return await records.newest(session)

    async def stop(self) -> None:
        """The export goes on until the process ends; nobody is told of it any more."""
        if self._task is not None:
            await end_tasks([self._task])

    async def _see_through(self, made: Export, job: Job, lock: AsyncSession) -> None:
        """Note how far it is, for the others, until it has ended; then let the next one begin."""
        work: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        threading.Thread(target=self._run, args=(made, job, work), name="export", daemon=True).start()
        try:
            try:
                while not work.done():
                    await asyncio.wait([work], timeout=SAY_SECONDS)
                    if not work.done():
                        await self._note(made, lock)
            finally:
                self._running = None  # from now on the database alone says how it went
            await self._end(made, work.result(), lock)
        finally:
            await lock.close()

    async def _end(self, made: Export, error: str | None, lock: AsyncSession) -> None:
        """Said as soon as the database answers: what is done is not to be shown as stopped."""
        ended = {"state": "failed" if error else "done", "error": error, "finished_at": datetime.now(UTC)}
        while True:
            if await _is_said(made.view().model_copy(update=ended), lock):
                return
            await asyncio.sleep(SAY_SECONDS)

    async def _note(self, made: Export, lock: AsyncSession) -> None:
        try:
            await records.keep_the_locks(lock, made.id)
            async with self._sessions.begin() as session:
                await records.write(session, made.view())
        except Exception as exc:
            _explain(exc)

    async def _prepare(self, wish: Wish) -> Job:
        """No connection waits for the disk. It may be slow to answer."""
        async with self._sessions() as session:
            roots = await queries.root_folders(session)
            project = None if wish.project is None else await queries.project_named(session, wish.project)
        if trouble := await self._trouble(wish.target, roots):
            raise Refused(422, "bad_target", trouble)
        if wish.project is not None and project is None:
            raise Refused(404, "unknown_project", f"There is no project {wish.project}.")
        manifest = await asyncio.to_thread(_manifest, wish.target)
        async with self._sessions() as session:
            photos = await queries.to_export(session, project)
            known = await queries.known(session, *manifest.identities()) if wish.refresh else []
        return Job(wish.target, photos, known, wish.full_size, wish.gps, wish.dry_run, wish.refresh, self._full_size.of)

    async def _trouble(self, folder: Path, roots: list[bytes]) -> str | None:
        """A network drive that hangs must not keep exports into other folders from beginning."""
        look = asyncio.to_thread(target.trouble_with, folder, self._settings, roots)
        try:
            return await asyncio.wait_for(look, PATIENCE_SECONDS)
        except TimeoutError:
            return f"{shown(folder)} does not answer. Is its drive connected, and its network there?"

    def _run(self, made: Export, job: Job, work: "asyncio.Future[str | None]") -> None:
        error = None
        try:
            export(job, self._claims, made.progress)
        except Exception as exc:
            error = _sentence(exc, job.target)
            log.warning("export.failed", target=shown(job.target), error=error, exc_info=error is _BUG)
        else:
            log.info("export.finished", target=shown(job.target), photos=made.progress.exported)
        with suppress(RuntimeError):  # the orchestrator has stopped meanwhile
            work.get_loop().call_soon_threadsafe(_answer, work, error)


async def _is_said(ended: ExportView, lock: AsyncSession) -> bool:
    """Whoever sees that it has ended may begin the next one: the locks go in the same moment. False where the same
    again may pass."""
    try:
        await records.keep_the_locks(lock, ended.id)
        await records.write(lock, ended)
        await lock.commit()
    except Exception as exc:
        _explain(exc)
        return not is_passing_trouble(exc)
    return True


def _explain(exc: Exception) -> None:
    """The others are not told how far it is; it goes on."""
    log.warning("export.not_noted", error=str(exc).partition("\n")[0], exc_info=not is_passing_trouble(exc))


def _answer(work: "asyncio.Future[str | None]", error: str | None) -> None:
    if not work.done():
        work.set_result(error)


_BUG = "Something went wrong in Keepers. The log has the details. What was exported is in the folder."


def _sentence(exc: Exception, folder: Path) -> str:
    if isinstance(exc, (ManifestBroken, Hold, Stopped)):
        return exc.message
    if isinstance(exc, Busy):
        return f"Another export into {shown(folder)} is running."
    if isinstance(exc, OSError):
        why = f"{shown(folder)} cannot be written to: {exc.strerror or exc}."
        return f"{why} What was exported stays; export again, and it goes on."
    return _BUG


def _manifest(folder: Path) -> Manifest:
    try:
        return manifests.read(folder)
    except ManifestBroken as exc:
        raise Refused(422, "bad_manifest", exc.message) from exc
