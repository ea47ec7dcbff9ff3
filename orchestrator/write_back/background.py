"""Writing sidecars some seconds after a decision. What is due is in the database: a kill loses nothing."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import structlog
from sqlalchemy import text

from orchestrator import events
from orchestrator.answers import Refused
from orchestrator.db import Sessions, is_passing_trouble
from orchestrator.models import Root
from orchestrator.tasks import end_tasks
from orchestrator.write_back import due, service
from orchestrator.write_back.service import Outcome

log = structlog.get_logger()

AT_ONCE = 50  # soon remembered as our own words, before a watch asks whose they are
EVERY_SECONDS = 1.0
PATIENCE_SECONDS = 30.0  # with a network drive that may never answer
_WRITING = 0x786D70  # advisory locks: one orchestrator of those on a database writes in a root
T = TypeVar("T")


async def keep_writing(sessions: Sessions, delay_seconds: float) -> None:
    """Until it is cancelled. No root waits for the drive of another."""
    writing: dict[int, asyncio.Task[None]] = {}
    try:
        while True:
            writing = {root_id: task for root_id, task in writing.items() if not task.done()}
            for root_id in await _due(sessions, delay_seconds):
                if root_id not in writing:
                    writing[root_id] = asyncio.create_task(_write_root(sessions, root_id, delay_seconds))
            await asyncio.sleep(EVERY_SECONDS)
    finally:
        await end_tasks(writing.values())


async def write_due(sessions: Sessions, delay_seconds: float) -> None:
    """Write what was decided at least so long ago. A root that cannot be written says why, and is looked at again the
    next time."""
    for root_id in await _due(sessions, delay_seconds):
        await _write_root(sessions, root_id, delay_seconds)


async def _due(sessions: Sessions, delay_seconds: float) -> list[int]:
    try:
        async with sessions() as session:
            return await due.roots(session, delay_seconds)
    except Exception as exc:
        _explain(exc)
        return []


async def _write_root(sessions: Sessions, root_id: int, delay_seconds: float) -> None:
    try:
        async with sessions() as lock:
            is_ours = text("SELECT pg_try_advisory_xact_lock(:key, :root)")
            if await lock.scalar(is_ours, {"key": _WRITING, "root": root_id}):
                while await _write_some(sessions, root_id, delay_seconds):
                    pass
    except Exception as exc:
        _explain(exc)


def _explain(exc: Exception) -> None:
    """It is all still due."""
    log.warning("write_back.interrupted", exc_info=not is_passing_trouble(exc))


async def _write_some(sessions: Sessions, root_id: int, delay_seconds: float) -> bool:
    """Whether there may be more."""
    try:
        async with sessions() as session:
            root = await service.root_of(session, root_id)
        trouble = await _patiently(sessions, root, _trouble(sessions, root))
        await _say(sessions, root_id, trouble)
        if trouble:
            return False
        async with sessions() as session:
            photos = await due.next_photos(session, root_id, delay_seconds, AT_ONCE)
        if not photos:
            return False
        outcomes = await _patiently(sessions, root, service.write_photos(sessions, root_id, list(photos)))
    except Refused:  # switched off, or gone, this moment
        return False
    later = {one.photo_id: _sentence(one) for one in outcomes if one.kind in ("failed", "unread")}
    stuck = {one.photo_id: _sentence(one) for one in outcomes if one.kind == "changed"}
    async with sessions.begin() as session:
        await due.settle(session, root_id, photos, later, stuck)
        await due.say_trouble(session, root_id, None)
        await events.record(session, events.IMPORTS, [])
    _log(root_id, outcomes)
    return len(photos) == AT_ONCE


async def _patiently(sessions: Sessions, root: Root, work: Coroutine[Any, Any, T]) -> T:  # Any: as coroutines have it
    """What this comes to, whenever that is; the page says so when its drive lets us wait."""
    task = asyncio.create_task(work)
    try:
        await asyncio.wait([task], timeout=PATIENCE_SECONDS)
        if not task.done():
            await _say(sessions, root.id, f"{root.label} does not answer. Its drive is slow, or its network hangs.")
        return await task
    finally:
        task.cancel()


async def _say(sessions: Sessions, root_id: int, trouble: str | None) -> None:
    async with sessions.begin() as session:
        if await due.say_trouble(session, root_id, trouble):
            await events.record(session, events.IMPORTS, [])


async def _trouble(sessions: Sessions, root: Root) -> str | None:
    try:
        await service.check(sessions, root)
    except Refused as exc:
        return exc.message
    return None


def _sentence(outcome: Outcome) -> str:
    return f"{outcome.path}: {outcome.why}"


def _log(root_id: int, outcomes: Sequence[Outcome]) -> None:
    kinds = {one.kind: sum(other.kind == one.kind for other in outcomes) for one in outcomes}
    log.info("write_back.written", root_id=root_id, **kinds)
