"""How much room originals take on each drive, and how much is free."""

import asyncio
import os
import shutil
import time
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.answers import Refused
from orchestrator.db import Sessions
from orchestrator.imports.folders import shown
from orchestrator.imports.walk import SET_ASIDE
from orchestrator.models import Root
from orchestrator.rejects import queries, service
from orchestrator.rejects.views import Aside, Drive, FreeSpace

_MOST_ROOTS = 200
_PATIENCE_SECONDS = 4.0  # a network drive may not answer at all

T = TypeVar("T")


@dataclass(frozen=True)
class _Trouble:
    message: str
    is_here: bool  # it can be read all the same


async def free_space(sessions: Sessions) -> FreeSpace:
    """Every folder of photos, connected ones first."""
    async with sessions() as session:
        statement = select(Root).order_by(col(Root.state).desc(), col(Root.label), col(Root.id)).limit(_MOST_ROOTS)
        roots = (await session.scalars(statement)).all()
        batches = await queries.newest(session)
    return FreeSpace(drives=[await _drive(sessions, root) for root in roots], batches=batches)


async def _drive(sessions: Sessions, root: Root) -> Drive:
    async with sessions() as session:
        trouble = await _trouble(session, root)
    async with sessions() as session:
        is_here = trouble is None or trouble.is_here
        usage = await _in_time(asyncio.to_thread(_usage, root.path)) if is_here else None
        return Drive(
            root_id=root.id,
            label=root.label.rstrip("/").rpartition("/")[2] or root.label,
            path=shown(root.path),
            trouble=None if trouble is None else trouble.message,
            kept=await queries.kept(session, root.id),
            rejected=await queries.rejected(session, root.id),
            set_aside=await _aside(session, root, is_here=is_here),
            folder=shown(os.path.join(root.path, SET_ASIDE)),
            free_bytes=usage[1] if usage else None,
            total_bytes=usage[0] if usage else None,
        )


async def _trouble(session: AsyncSession, root: Root) -> _Trouble | None:
    try:
        if await _in_time(service.usable_root(session, root.id)) is None:
            return _Trouble(f"{root.label} does not answer, {service.SO}.", is_here=False)
    except Refused as exc:
        return _Trouble(exc.message, is_here=exc.type == "root_read_only")
    return None


async def _aside(session: AsyncSession, root: Root, *, is_here: bool) -> Aside:
    rows = await session.execute(
        text(
            "SELECT coalesce(photo_id, -set_aside.id) AS photo, aside_path, size,"
            f" coalesce({queries.RESTORED}, false) AS is_restored"
            " FROM set_aside LEFT JOIN photos ON photos.id = photo_id WHERE set_aside.root_id = :root"
            " AND state <> 'returned'"
        ),
        {"root": root.id},
    )
    files = [(row.photo, row.aside_path, row.size, row.is_restored) for row in rows]
    paths = [path for _, path, *_ in files]
    missing = await _in_time(asyncio.to_thread(_missing, root.path, paths)) if is_here and paths else set()
    there = [file for file in files if file[1] not in (missing or set())]
    return Aside(
        photos=len({photo for photo, *_ in there}),
        bytes=sum(size for _, _, size, _ in there),
        restored=len({photo for photo, _, _, is_restored in there if is_restored}),
        missing=len(files) - len(there),
    )


async def _in_time(work: Awaitable[T]) -> T | None:
    try:
        return await asyncio.wait_for(work, _PATIENCE_SECONDS)
    except TimeoutError:
        return None


def _usage(root: bytes) -> tuple[int, int] | None:
    """All of it, and what is free."""
    try:
        usage = shutil.disk_usage(os.fsdecode(root))
    except OSError:
        return None
    return usage.total, usage.free


def _missing(root: bytes, paths: Iterable[bytes]) -> set[bytes] | None:
    """None when there is no time to look for all of them: nobody waits for the rest."""
    until = time.monotonic() + _PATIENCE_SECONDS
    missing = set()
    for path in paths:
        if time.monotonic() > until:
            return None
        if not os.path.lexists(os.path.join(root, path)):
            missing.add(path)
    return missing
