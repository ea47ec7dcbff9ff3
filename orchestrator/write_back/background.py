"""Writing sidecars some seconds after a decision. What is due is in the database: a kill loses nothing."""

import asyncio
from collections.abc import Sequence

import structlog
from sqlalchemy import text

from orchestrator import events
from orchestrator.answers import Refused
from orchestrator.db import Sessions, is_passing_trouble
from orchestrator.write_back import due, service
from orchestrator.write_back.service import Outcome

log = structlog.get_logger()

AT_ONCE = 50  # soon remembered as our own words, before a watch asks whose they are
EVERY_SECONDS = 1.0
_WRITING = 0x786D70  # advisory lock: one orchestrator of those on a database writes


async def keep_writing(sessions: Sessions, delay_seconds: float) -> None:
    """Until it is cancelled."""
    while True:
        try:
            await write_due(sessions, delay_seconds)
        except Exception as exc:  # it is all still due
            log.warning("write_back.interrupted", exc_info=not is_passing_trouble(exc))
        await asyncio.sleep(EVERY_SECONDS)


async def write_due(sessions: Sessions, delay_seconds: float) -> None:
    """Write what was decided at least so long ago. A root that cannot be written says why, and is looked at again the
    next time."""
    async with sessions() as lock:
        if not await lock.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _WRITING}):
            return
        async with sessions() as session:
            root_ids = await due.roots(session, delay_seconds)
        for root_id in root_ids:
            while await _write_some(sessions, root_id, delay_seconds):
                pass


async def _write_some(sessions: Sessions, root_id: int, delay_seconds: float) -> bool:
    """Whether there may be more."""
    trouble = await _trouble(sessions, root_id)
    async with sessions.begin() as session:
        if await due.say_trouble(session, root_id, trouble):
            await events.record(session, events.IMPORTS, [])
        photos = {} if trouble else await due.next_photos(session, root_id, delay_seconds, AT_ONCE)
    if not photos:
        return False
    try:
        outcomes = await service.write_photos(sessions, root_id, list(photos))
    except Refused:  # switched off, or gone, this moment
        return False
    later = {one.photo_id: _sentence(one) for one in outcomes if one.kind in ("failed", "unread")}
    stuck = {one.photo_id: _sentence(one) for one in outcomes if one.kind == "changed"}
    async with sessions.begin() as session:
        await due.settle(session, root_id, photos, later, stuck)
        await events.record(session, events.IMPORTS, [])
    _log(root_id, outcomes)
    return len(photos) == AT_ONCE


async def _trouble(sessions: Sessions, root_id: int) -> str | None:
    try:
        async with sessions() as session:
            root = await service.root_of(session, root_id)
        await service.check(sessions, root)
    except Refused as exc:
        return exc.message
    return None


def _sentence(outcome: Outcome) -> str:
    return f"{outcome.path}: {outcome.why}"


def _log(root_id: int, outcomes: Sequence[Outcome]) -> None:
    kinds = {one.kind: sum(other.kind == one.kind for other in outcomes) for one in outcomes}
    log.info("write_back.written", root_id=root_id, **kinds)
