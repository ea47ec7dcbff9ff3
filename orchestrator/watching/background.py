"""The tasks that watch folders. One orchestrator of those on a database has them."""

import asyncio
from collections.abc import Callable

import structlog
from sqlalchemy import select, text, update
from sqlmodel import col

from orchestrator import events
from orchestrator.db import Sessions, is_passing_trouble
from orchestrator.imports.folders import shown
from orchestrator.models import Root, Watch
from orchestrator.tasks import end_tasks
from orchestrator.watching.follower import Away, Followed, Follower
from orchestrator.watching.intake import Intake, Overtaken
from orchestrator.watching.listening import Listen, SystemListener
from shared.settings import Settings

log = structlog.get_logger()

_WATCHING = 0x7761746368  # advisory lock
FOLLOW_SECONDS = 1.0  # until a switch takes effect


def _is_ordinary(trouble: Exception) -> bool:
    return isinstance(trouble, Overtaken) or is_passing_trouble(trouble)


class Watching:
    """Follows every folder that is to be watched, while no other orchestrator does."""

    def __init__(
        self, sessions: Sessions, settings: Settings, on_commit: Callable[[], None], listen: Listen = SystemListener
    ) -> None:
        self._sessions = sessions
        self._settings = settings
        self._listen = listen
        self._intake = Intake(sessions, on_commit)
        self._tasks: dict[Followed, asyncio.Task[None]] = {}

    async def run(self) -> None:
        while True:
            try:
                await self._while_first()
            except Exception as exc:
                if not is_passing_trouble(exc):
                    log.exception("watching.failed")
            finally:
                await self._end(list(self._tasks))
            await asyncio.sleep(self._settings.probe_seconds)

    async def _while_first(self) -> None:
        async with self._sessions() as session:  # it asks for nothing else: an open transaction keeps what it touched
            if not await session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _WATCHING}):
                return
            while True:
                await self._follow_those_wished()
                await asyncio.sleep(FOLLOW_SECONDS)
                await session.execute(text("SELECT 1"))  # raises when the lock was lost with the connection

    async def _follow_those_wished(self) -> None:
        async with self._sessions() as session:
            rows = await session.execute(
                select(col(Watch.id), col(Watch.root_id), col(Root.path), col(Watch.folder), col(Watch.is_polled)).join(
                    Root, col(Root.id) == col(Watch.root_id)
                )
            )
            wished = {Followed(*row) for row in rows}
        await self._end([followed for followed in self._tasks if followed not in wished])
        for followed in wished - self._tasks.keys():
            self._tasks[followed] = asyncio.create_task(self._follow(followed), name=f"watching {followed.path}")

    async def _end(self, followed: list[Followed]) -> None:
        await end_tasks([self._tasks.pop(one) for one in followed])

    async def _follow(self, followed: Followed) -> None:
        """Until it is cancelled: a folder that is away may come back."""

        async def say(state: str, problem: str | None) -> None:
            await self._say(followed.id, state, problem)

        while True:
            try:
                try:
                    await Follower(followed, self._sessions, self._settings, self._intake, self._listen, say).follow()
                except Away as exc:
                    await say("waiting", str(exc))
            except Exception as exc:  # nothing is lost: following begins with a walk
                log.warning("watching.interrupted", folder=shown(followed.path), exc_info=not _is_ordinary(exc))
            await asyncio.sleep(self._settings.probe_seconds)

    async def _say(self, watch_id: int, state: str, problem: str | None) -> None:
        async with self._sessions.begin() as session:
            changed = await session.execute(
                update(Watch)
                .where(
                    col(Watch.id) == watch_id,
                    (col(Watch.state) != state) | col(Watch.problem).is_distinct_from(problem),
                )
                .values(state=state, problem=problem)
                .returning(col(Watch.id))
            )
            if changed.first():
                await events.record(session, events.IMPORTS, [])
