"""Imports as they are shown."""

from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from typing import Literal

from pydantic import BaseModel
from sqlalchemy import Select, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator import tallies
from orchestrator.file_ratings import queries as file_ratings
from orchestrator.file_ratings.queries import BrokenSidecars, OfImport, Ratings
from orchestrator.imports.roots import root_key
from orchestrator.models import Breaker, Import, Project, StagePause
from orchestrator.removal import tombstones

_PAUSED = "Previews are paused. Resume them in the pipeline."

State = Literal["scanning", "running", "paused", "held", "done", "cancelled", "failed"]


class StageProgress(BaseModel):
    """Runs of a later stage for the photos of an import; they never keep it open. What a paused stage has not begun
    is held."""

    done: int
    pending: int
    failed: int
    held: int
    paused: bool


class ImportView(BaseModel):
    """found = done + failed + skipped + pending, always; damaged ones are among the done."""

    id: int
    label: str
    path: str
    state: State
    found: int
    done: int
    skipped: int
    removed: int  # photos among the skipped that were removed before: they come back when they are asked for
    failed: int
    pending: int
    damaged: int
    stages: dict[str, StageProgress]
    sample: int | None
    project: str | None
    is_watched: bool  # files join it as they come into a watched folder
    left_alone: dict[str, int]
    ratings: Ratings
    broken_sidecars: BrokenSidecars | None
    conflicts: int  # photos whose files say another rating than the person does here
    error: str | None
    held: str | None  # why it waits
    created_at: datetime
    finished_at: datetime | None


async def by_id(session: AsyncSession, import_id: int) -> ImportView | None:
    views = await _views(session, select(Import, col(Project.name)).where(col(Import.id) == import_id))
    return views[0] if views else None


async def newest(session: AsyncSession, before: int | None, limit: int) -> list[ImportView]:
    statement = select(Import, col(Project.name)).order_by(col(Import.id).desc()).limit(limit)
    if before is not None:
        statement = statement.where(col(Import.id) < before)
    return await _views(session, statement)


async def _views(session: AsyncSession, statement: Select[Import, str]) -> list[ImportView]:
    joined = statement.outerjoin(Project, col(Project.id) == col(Import.project_id))
    rows: Sequence[tuple[Import, str | None]] = (await session.execute(joined)).all()
    counts = await tallies.of_imports(session, [job.id for job, _ in rows])
    open_breakers = (await session.execute(select(Breaker))).scalars().all()
    offline = await _offline_roots(session, rows)
    paused = set((await session.execute(select(col(StagePause.stage)))).scalars())
    causes = {job.id: _cause(job, open_breakers) or _pause(job, paused) for job, _ in rows}
    in_files = await file_ratings.of_imports(session, list(causes))
    removed = await tombstones.of_imports(session, list(causes))
    return [
        _view(job, project, counts[job.id], causes[job.id], offline, paused, in_files[job.id]).model_copy(
            update={"removed": removed.get(job.id, 0)}
        )
        for job, project in rows
    ]


async def _offline_roots(session: AsyncSession, rows: Sequence[tuple[Import, str | None]]) -> Mapping[int, str | None]:
    """The sentence of an offline root, by root id."""
    found = await session.execute(
        text("SELECT id, problem FROM roots WHERE state = 'offline' AND id = ANY(:ids)"),
        {"ids": [job.root_id for job, _ in rows]},
    )
    return dict(found.all())


def _cause(job: Import, open_breakers: Sequence[Breaker]) -> str | None:
    for breaker in open_breakers:
        if breaker.key == root_key(job.root_id) or (breaker.stage == "convert" and not breaker.key.startswith("root:")):
            return breaker.cause
    return None


def _pause(job: Import, paused: Set[str]) -> str | None:
    """A scan goes on all the same."""
    return _PAUSED if "convert" in paused and job.scanned else None


def _view(
    job: Import,
    project: str | None,
    counts: Mapping[str, tallies.Counts],
    cause: str | None,
    offline: Mapping[int, str | None],
    paused: Set[str],
    in_files: OfImport,
) -> ImportView:
    items = counts[tallies.ITEMS]
    pending = items.get("pending", 0)
    found = sum(items.values())
    waits_for = (cause or offline.get(job.root_id) or job.error) if pending or not job.scanned else None
    return ImportView(
        id=job.id,
        label=job.label.rstrip("/").rpartition("/")[2] or job.label,
        path=job.label,
        state=_state(job, pending, waits_for is not None),
        found=found,
        done=items.get("done", 0) + items.get("damaged", 0),
        skipped=items.get("skipped", 0),
        removed=0,
        failed=items.get("failed", 0),
        pending=pending,
        damaged=items.get("damaged", 0),
        stages={
            stage: _progress(states, stage in paused)
            for stage, states in counts.items()
            if stage not in (tallies.ITEMS, "convert")
        },
        sample=job.sample,
        project=project,
        is_watched=job.is_watched,
        left_alone=job.left_alone,
        ratings=Ratings(with_rating=job.with_rating, of=found),
        broken_sidecars=in_files.broken_sidecars,
        conflicts=in_files.conflicts,
        error=job.error,
        held=waits_for,
        created_at=job.created_at,
        finished_at=job.finished_at,
    )


def _state(job: Import, pending: int, is_held: bool) -> State:
    if job.state in ("cancelled", "failed"):
        return "cancelled" if job.state == "cancelled" else "failed"
    if job.scanned and pending == 0:
        return "done"
    if job.state == "paused":
        return "paused"
    if is_held:
        return "held"
    return "running" if job.scanned else "scanning"


def _progress(states: tallies.Counts, is_paused: bool) -> StageProgress:
    waiting = states.get("queued", 0)
    return StageProgress(
        done=states.get("done", 0),
        pending=sum(states.get(state, 0) for state in ("published", "retrying")) + (0 if is_paused else waiting),
        failed=states.get("failed", 0),
        held=states.get("held", 0) + (waiting if is_paused else 0),
        paused=is_paused,
    )
