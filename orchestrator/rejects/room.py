"""How much room originals take on each drive, and how much is free."""

import asyncio
import os
import shutil
import time
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import select
from sqlmodel import col

from orchestrator.answers import Refused
from orchestrator.db import Sessions
from orchestrator.imports.folders import shown
from orchestrator.imports.walk import SET_ASIDE
from orchestrator.models import Root
from orchestrator.rejects import queries, service
from orchestrator.rejects.views import Drive, FreeSpace

_MOST_ROOTS = 200
_AT_ONCE = 1_000  # files that are looked for on a drive
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
    trouble = await _trouble(sessions, root)
    is_here = trouble is None or trouble.is_here
    usage = await _in_time(asyncio.to_thread(_usage, root.path)) if is_here else None
    missing = await _missing(sessions, root) if is_here else []
    async with sessions() as session:
        return Drive(
            root_id=root.id,
            label=root.label.rstrip("/").rpartition("/")[2] or root.label,
            path=shown(root.path),
            trouble=None if trouble is None else trouble.message,
            kept=await queries.kept(session, root.id),
            rejected=await queries.rejected(session, root.id),
            set_aside=await queries.lies_aside(session, root.id, missing),
            folder=shown(os.path.join(root.path, SET_ASIDE)),
            free_bytes=usage[1] if usage else None,
            total_bytes=usage[0] if usage else None,
        )


async def _trouble(sessions: Sessions, root: Root) -> _Trouble | None:
    try:
        if await _in_time(service.usable_root(sessions, root.id)) is None:
            return _Trouble(f"{root.label} does not answer, {service.SO}.", is_here=False)
    except Refused as exc:
        return _Trouble(exc.message, is_here=exc.type == "root_read_only")
    return None


async def _missing(sessions: Sessions, root: Root) -> list[int]:
    """The entries of files that somebody removed; none when there is no time to look for all of them: nobody waits
    for the rest."""
    until = time.monotonic() + _PATIENCE_SECONDS
    missing, after = list[int](), b""
    while time.monotonic() < until:
        async with sessions() as session:
            entries = await queries.next_aside(session, root.id, after, _AT_ONCE)
        if not entries:
            return missing
        gone = await _in_time(asyncio.to_thread(_gone, root.path, entries, until))
        if gone is None:
            break
        missing += gone
        after = entries[-1][1]
    return []


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


def _gone(root: bytes, entries: Iterable[tuple[int, bytes]], until: float) -> list[int] | None:
    """None when time is up."""
    gone = []
    for id_, path in entries:
        if time.monotonic() > until:
            return None
        if not os.path.lexists(os.path.join(root, path)):
            gone.append(id_)
    return gone
