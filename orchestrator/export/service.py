"""Exports: one at a time, each in a thread that no stop waits for. They are known while Keepers is open; what they have
done is in the folder, and the same export again goes on from there."""

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import structlog
from starlette.concurrency import run_in_threadpool

from orchestrator.answers import Refused
from orchestrator.db import Sessions
from orchestrator.export import manifest as manifests
from orchestrator.export import queries, target
from orchestrator.export.disk import Busy
from orchestrator.export.exporter import Job, Progress, export
from orchestrator.export.full_size import FullSize
from orchestrator.export.manifest import Manifest, ManifestBroken
from orchestrator.export.views import ExportView, NotExported
from orchestrator.imports.folders import shown
from shared.claims import ClaimStore
from shared.settings import Settings

log = structlog.get_logger()

_KEPT = 20
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
    wish: Wish
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    progress: Progress = field(default_factory=Progress)
    state: str = "running"
    error: str | None = None
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    finished_at: datetime | None = None

    def view(self) -> ExportView:
        seen, wish = self.progress, self.wish
        named = [NotExported(photo_id=one.id, file_name=one.file_name, message=why) for one, why in seen.left]
        counts = ("total", "done", "exported", "already", "updated", "withdrawn")
        return ExportView.model_validate(
            {
                **{name: getattr(self, name) for name in ("id", "state", "error", "started_at", "finished_at")},
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
        self._exports: dict[str, Export] = {}
        self._is_starting = False

    async def start(self, wish: Wish) -> Export:
        """Refused when the folder cannot be exported to, or another export runs."""
        if self._is_starting or any(one.state == "running" for one in self._exports.values()):
            raise Refused(409, "export_running", "Another export is running. Start this one when it is done.")
        self._is_starting = True
        try:
            made, job = Export(wish), await self._prepare(wish)
            self._exports[made.id] = made
            for old in list(self._exports)[:-_KEPT]:
                del self._exports[old]
            thread = threading.Thread(target=self._run, args=(made, job), name="export", daemon=True)
            thread.start()
        finally:
            self._is_starting = False
        return made

    def find(self, export_id: str) -> Export:
        if export_id not in self._exports:
            sentence = "This export is not known: Keepers was started again since. Export again, and it goes on."
            raise Refused(404, "unknown_export", sentence)
        return self._exports[export_id]

    def newest(self) -> Export | None:
        return next(reversed(self._exports.values()), None)

    async def _prepare(self, wish: Wish) -> Job:
        async with self._sessions() as session:
            roots = await queries.root_folders(session)
            trouble = await run_in_threadpool(target.trouble_with, wish.target, self._settings, roots)
            if trouble:
                raise Refused(422, "bad_target", trouble)
            project = None if wish.project is None else await queries.project_named(session, wish.project)
            if wish.project is not None and project is None:
                raise Refused(404, "unknown_project", f"There is no project {wish.project}.")
            manifest = await run_in_threadpool(_manifest, wish.target)
            photos = await queries.to_export(session, project)
            known = await queries.known(session, *manifest.identities()) if wish.refresh else []
        return Job(wish.target, photos, known, wish.full_size, wish.gps, wish.dry_run, wish.refresh, self._full_size.of)

    def _run(self, made: Export, job: Job) -> None:
        try:
            export(job, self._claims, made.progress)
        except Exception as exc:
            made.error, made.state = _sentence(exc, job.target), "failed"
            log.warning("export.failed", target=shown(job.target), error=made.error, exc_info=made.error is _BUG)
        else:
            made.state = "done"
            log.info("export.finished", target=shown(job.target), photos=made.progress.exported)
        finally:
            made.finished_at = datetime.now(UTC)


_BUG = "Something went wrong in Keepers. The log has the details. What was exported is in the folder."


def _sentence(exc: Exception, folder: Path) -> str:
    if isinstance(exc, ManifestBroken):
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
