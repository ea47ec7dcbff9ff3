"""An archive with a folder that is watched, by what the system says or by looking."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from orchestrator.tasks import end_tasks
from orchestrator.watching.background import Watching
from orchestrator.watching.listening import Listen, SystemListener
from shared.settings import Settings
from tests.archive import Archive
from tests.pictures import saved, scene
from tests.site import open_site

SETTLE_SECONDS = 0.1


@pytest.fixture
async def quick(database_url: str, tmp_path: Path) -> AsyncIterator[Archive]:
    """An archive in which files settle soon, and folders are looked at often where nobody tells of them."""
    settings = Settings(
        keepers_home=tmp_path / "home",
        database_url=database_url,
        watch_settle_seconds=SETTLE_SECONDS,
        watch_poll_seconds=0.2,
        probe_seconds=0.1,
    )
    async with open_site(settings) as site:
        yield Archive(site, tmp_path)


@asynccontextmanager
async def watching(archive: Archive, state: str = "watching", listen: Listen = SystemListener) -> AsyncIterator[None]:
    """An orchestrator's watching, from when it sees each folder."""
    running = asyncio.create_task(background(archive, listen).run())
    try:
        await archive.until(lambda rows: {row["state"] for row in rows} == {state}, "SELECT state FROM watches")
        yield
    finally:
        await end_tasks([running])


def background(archive: Archive, listen: Listen = SystemListener) -> Watching:
    services = archive.site.services
    return Watching(services.sessions, services.settings, services.wake, listen)


async def watch(archive: Archive, enabled: bool = True, **wish: Any) -> list[dict[str, Any]]:
    """Switch it for the only root there is."""
    (root,) = await archive.sql("SELECT id FROM roots")
    answer = await archive.site.client.post(f"/api/roots/{root['id']}/watch", json={"enabled": enabled, **wish})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def watched(archive: Archive) -> dict[str, Any]:
    """The only watch, as pages see it."""
    (found,) = (await archive.site.client.get("/api/watches")).json()["items"]
    return dict(found)


def a_jpeg(folder: Path, name: str, seed: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(saved(scene(60, 40, seed), "JPEG"))
    return path


async def until_known(archive: Archive, *names: str) -> None:
    """Until the archive has exactly these files."""
    await until_files(archive, lambda known: known == sorted(names))


async def until_files(archive: Archive, condition: Callable[[list[str]], bool]) -> None:
    await archive.until(
        lambda rows: condition([row["path"].decode() for row in rows]), "SELECT path FROM photo_files ORDER BY path"
    )


async def imports(archive: Archive) -> list[dict[str, Any]]:
    """Newest first."""
    found: list[dict[str, Any]] = (await archive.site.client.get("/api/imports")).json()["items"]
    return found
