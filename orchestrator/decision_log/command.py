"""`keepers replay`, on the terminal."""

import asyncio
import os
from pathlib import Path

from orchestrator.db import open_engine, open_sessions
from orchestrator.decision_log.folding import Folded, folded
from orchestrator.decision_log.lines import Photo, read
from orchestrator.decision_log.replaying import Replayed, replay
from orchestrator.embedded.database import reachable_database
from shared.errors import KeepersError
from shared.settings import Settings

_MOST_NAMED = 20


class NoLog(KeepersError):
    """This file holds no decisions."""


def replay_file(settings: Settings, file: Path | None, *, is_dry: bool) -> int:
    """Decide again what the log says. How many photos and lines could not be used. Raises KeepersError."""
    path = file or settings.decisions_file
    said = _read(path)
    print(f"{said.decisions:,} decisions about {len(said.photos):,} photos are in {path}.", flush=True)
    with reachable_database(settings) as url:
        done = asyncio.run(_replayed(url, said, is_dry))
    _print(said, done, is_dry)
    return len(done.missing) + len(said.unread)


def _read(path: Path) -> Folded:
    try:
        said = folded(read(path))
    except OSError as exc:
        raise NoLog(f"{path} cannot be read: {exc.strerror or exc}.") from exc
    if not said.decisions and not said.projects:
        raise NoLog(f"{path} holds no decisions of Keepers.")
    return said


async def _replayed(url: str, said: Folded, is_dry: bool) -> Replayed:
    engine = open_engine(url)
    try:
        return await replay(open_sessions(engine), said, is_dry=is_dry)
    finally:
        await engine.dispose()


def _print(said: Folded, done: Replayed, is_dry: bool) -> None:
    verb = "would be changed" if is_dry else "changed"
    print(f"{done.changed:,} photos {verb}, {done.already:,} are so already, {len(done.missing):,} were not found.")
    for photo in done.missing[:_MOST_NAMED]:
        print(f"not found: {_shown(photo)}")
    if (unnamed := len(done.missing) - _MOST_NAMED) > 0:
        print(f"... and {unnamed:,} more.")
    if done.missing:
        print("Import their folder, then replay again: what is decided already is passed over.")
    if said.unread:
        print(f"{len(said.unread):,} lines could not be read, the first is line {said.unread[0]:,}.")


def _shown(photo: Photo) -> str:
    return os.fsencode(photo.path).decode(errors="replace") if photo.path else f"a file with the hash {photo.hash}"
