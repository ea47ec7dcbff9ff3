"""Following one folder: what the system tells of it, and a walk through all of it at the start and now and then."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from orchestrator.db import Sessions
from orchestrator.imports.folders import may_read, shown
from orchestrator.imports.roots import is_empty_or_missing, recognise
from orchestrator.imports.scan import CHUNK, permissions_of
from orchestrator.imports.walk import Folder, Unit, look, name_of_photo, walk
from orchestrator.models import Root
from orchestrator.watching.file_systems import must_be_polled
from orchestrator.watching.intake import Intake, strange
from orchestrator.watching.listening import Listen, Listener, what_to_type
from orchestrator.watching.settling import Names, Settling
from shared.formats import IMAGE_EXTENSIONS, SIDECAR_EXTENSION, extension_of
from shared.settings import Settings

log = structlog.get_logger()

WALK_SECONDS = 3_600.0  # between two walks where the system tells of changes: it can lose some
LOOK_SECONDS = 2.0  # between two looks whether the folder is still the same one
RARER = 10  # a walk that takes long is made so many times rarer than it takes
LISTEN_AGAIN_SECONDS = 30.0

Say = Callable[[str, str | None], Awaitable[None]]  # state and problem, for the page


class Away(Exception):
    """Nothing can be seen there now. The sentence says why."""


@dataclass(frozen=True)
class Followed:
    """A watch as it was when following began."""

    id: int
    root_id: int
    root_path: bytes
    folder: bytes
    is_polled: bool

    @property
    def path(self) -> Path:
        return Path(os.fsdecode(os.path.join(self.root_path, self.folder).rstrip(b"/")))


class Follower:
    """From the moment the folder is there until it is away. Raises Away, with a sentence."""

    def __init__(
        self, followed: Followed, sessions: Sessions, settings: Settings, intake: Intake, listen: Listen, say: Say
    ) -> None:
        self._followed = followed
        self._sessions = sessions
        self._settings = settings
        self._intake = intake
        self._listen = listen
        self._say = say
        self._permissions = permissions_of(settings)
        self._settling = Settling(settings.watch_settle_seconds)
        self._trees: dict[bytes, float] = {}  # folders that may have come -> when they are walked
        self._as_known: dict[bytes, int] = {}  # folder -> hash of what lay there when all of it was known
        self._news = asyncio.Event()
        self._is_listening = False
        self._trouble: Exception | None = None
        self._listener: Listener | None = None
        self._why_polled: str | None = None
        self._next_walk = 0.0
        self._next_listening = 0.0

    async def follow(self) -> None:
        path = self._followed.path
        self._root = await self._arrive()
        identity = await asyncio.to_thread(_identity, path)
        is_told = not self._followed.is_polled and not await asyncio.to_thread(must_be_polled, path)
        try:
            while await asyncio.to_thread(_identity, path) == identity:
                if is_told:
                    await self._see_to_listening()
                if self._listener is None or self._is_listening:  # what comes from now on is heard, so walk now
                    await self._walk_if_due()
                await self._look_at_what_settles()
                await self._wait()
            raise Away(f"{shown(path)} is not there any more, or is another folder now.")
        finally:
            await asyncio.shield(self._stop_listening())

    async def _arrive(self) -> Root:
        """The root, seen to be the one that is meant."""
        path = self._followed.path
        if refused := await asyncio.to_thread(may_read, path, self._settings):
            raise Away(refused)
        if await asyncio.to_thread(is_empty_or_missing, self._followed.root_path):
            raise Away(f"{shown(self._followed.root_path)} is empty or not connected.")
        async with self._sessions.begin() as session:
            root = await recognise(session, path)
        if root is None or root.id != self._followed.root_id:
            raise Away(f"Another drive is connected at {shown(self._followed.root_path)}.")
        return root

    async def _see_to_listening(self) -> None:
        """Begin; after trouble the folder is walked now and then until listening succeeds again, if it ever may."""
        if self._trouble is not None:
            log.warning("watching.deaf", folder=shown(self._followed.path), error=str(self._trouble))
            self._why_polled = what_to_type(self._trouble, is_beginning=not self._is_listening)
            self._trouble = None
            await self._stop_listening()
            self._next_walk = 0.0
        if self._listener is None and self._why_polled is None and time.monotonic() >= self._next_listening:
            self._next_listening = time.monotonic() + LISTEN_AGAIN_SECONDS
            self._is_listening, self._next_walk = False, 0.0
            self._listener = self._listen(self._followed.path, self._hear, self._fail)

    async def _stop_listening(self) -> None:
        if self._listener is not None:
            await asyncio.to_thread(self._listener.stop)
            self._listener = None

    def _hear(self, paths: set[str]) -> None:
        if not self._is_listening or paths:
            self._news.set()
        self._is_listening = True
        for path in paths:
            self._expect(os.fsencode(path))

    def _fail(self, trouble: Exception) -> None:
        self._trouble = trouble
        self._news.set()

    def _expect(self, path: bytes) -> None:
        relative = os.path.relpath(path, self._followed.root_path)
        parts = relative.split(b"/")
        if any(part.startswith(b".") for part in parts):  # outside, hidden, or a fork
            return
        if extension_of(path) in (*IMAGE_EXTENSIONS, SIDECAR_EXTENSION):
            self._settling.expect(os.path.dirname(relative), name_of_photo(relative))
        else:
            self._trees.setdefault(relative, time.monotonic() + self._settling.seconds)

    async def _walk_if_due(self) -> None:
        now = time.monotonic()
        if now < self._next_walk:
            return
        try:
            await self._walk(self._followed.folder)
        except OSError as exc:
            raise Away(f"{shown(self._followed.path)} cannot be read: {os.strerror(exc.errno or 0)}.") from exc
        is_heard = self._listener is not None
        every = WALK_SECONDS if is_heard else self._settings.watch_poll_seconds
        self._next_walk = time.monotonic() + max(every, RARER * (time.monotonic() - now))
        await self._say("watching" if is_heard else "polling", None if is_heard else self._why_polled)

    async def _walk(self, top: bytes) -> None:
        """Expect what is not known. Raises OSError when the folder is away."""
        folders = walk(self._followed.root_path, top, None, self._permissions)
        while (folder := await asyncio.to_thread(next, folders, None)) is not None:
            await self._expect_strange(folder)

    async def _expect_strange(self, folder: Folder) -> None:
        contents = hash(tuple(folder.units))
        if self._as_known.get(folder.path) == contents:
            return
        found = 0
        for start in range(0, len(folder.units), CHUNK):
            async with self._sessions() as session:
                new = await strange(session, self._followed.root_id, folder.units[start : start + CHUNK])
            found += len(new)
            for unit in new:
                self._settling.expect(folder.path, name_of_photo(unit.main.path))
        if not found:
            self._as_known[folder.path] = contents

    async def _look_at_what_settles(self) -> None:
        for tree in [tree for tree, due in self._trees.items() if due <= time.monotonic()]:
            del self._trees[tree]
            if await asyncio.to_thread(self._is_own_folder, tree):
                await self._walk_what_came(tree)
        for folder, names in self._settling.folders.items():
            try:
                seen = await asyncio.to_thread(self._look, folder, names)
            except OSError:  # the folder has gone, or may not be read; the walk says whether all of it has
                self._settling.forget(folder)
                continue
            await self._take(self._settling.settled(folder, seen.units, time.monotonic()))

    async def _walk_what_came(self, tree: bytes) -> None:
        try:
            await self._walk(tree)
        except OSError:  # it has gone again, or the drive has: the next look says so
            log.info("watching.gone_again", folder=shown(tree))

    def _look(self, folder: bytes, names: Names) -> Folder:
        if not self._is_own_folder(folder):
            return Folder(folder)
        return look(self._followed.root_path, folder, names, self._permissions)

    def _is_own_folder(self, folder: bytes) -> bool:
        """With no link on the way, as no walk takes one: its files are found where they lie."""
        root = os.path.realpath(self._followed.root_path)
        whole = os.path.join(root, folder).rstrip(b"/")
        is_folder = Path(os.fsdecode(whole)).is_dir()
        return is_folder and os.path.realpath(whole) == whole and self._permissions.may_enter(whole)

    async def _take(self, units: Sequence[Unit]) -> None:
        for start in range(0, len(units), CHUNK):
            await self._intake.take(self._followed.id, self._root, units[start : start + CHUNK])

    async def _wait(self) -> None:
        is_busy = bool(self._settling.folders or self._trees)
        seconds = min(LOOK_SECONDS, self._settling.seconds / 2) if is_busy else LOOK_SECONDS
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except TimeoutError:
            return
        self._news.clear()


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
