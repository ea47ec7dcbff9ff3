"""Backups, as JSON."""

import asyncio
from datetime import datetime
from pathlib import Path

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import text

from orchestrator.answers import ERRORS
from orchestrator.backups import kept
from orchestrator.backups.manifest import Why
from orchestrator.backups.writing import BACKING_UP
from orchestrator.context import ServicesDep

router = APIRouter(prefix="/api", tags=["backups"], responses=ERRORS)

# A key of 64 bits is shown in two halves.
_STATE = text(
    """
    SELECT archive, problem, failed_at, (SELECT problem FROM decision_log) AS decisions_problem, EXISTS (
      SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND (CAST(classid AS bigint) << 32) + CAST(objid AS bigint) = :key) AS is_running
    FROM backup_state
    """
)


class BackupItem(BaseModel):
    """`why`: daily, upgrade (before one), or asked. `photos` is null when it cannot be read; `problem` says why."""

    name: str
    made_at: datetime
    why: Why
    bytes: int
    photos: int | None
    problem: str | None


class BackupList(BaseModel):
    """Those of this archive, newest first. `problem` is of the last that failed, until one succeeds. `decisions` is the
    log of decisions, and `decisions_problem` says why what is decided now does not come into it."""

    folder: str
    every_hours: float
    is_running: bool
    problem: str | None
    failed_at: datetime | None
    items: list[BackupItem]
    decisions: str
    decisions_problem: str | None


@router.get("/backups")
async def show_backups(services: ServicesDep) -> BackupList:
    folder = kept.folder_of(services.settings)
    async with services.sessions() as session:
        state = (await session.execute(_STATE, {"key": BACKING_UP})).one()
    return BackupList(
        folder=str(folder),
        every_hours=services.settings.backup_every_hours,
        is_running=state.is_running,
        problem=state.problem,
        failed_at=state.failed_at,
        items=await asyncio.to_thread(_items, folder, state.archive),
        decisions=str(services.settings.decisions_file),
        decisions_problem=state.decisions_problem,
    )


@router.post("/backups", status_code=202)
async def back_up(services: ServicesDep) -> BackupList:
    """Make one now. It goes on in the background; ask again until `is_running` is false."""
    await services.backups.start()
    return await show_backups(services)


def _items(folder: Path, archive: str) -> list[BackupItem]:
    return [
        BackupItem(
            name=one.path.name,
            made_at=one.made_at,
            why=one.why,
            bytes=one.bytes,
            photos=one.photos,
            problem=one.problem,
        )
        for one in kept.read(folder, archive)
    ]
