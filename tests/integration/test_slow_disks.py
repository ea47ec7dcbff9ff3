"""While a slow disk is looked at, no connection to the database waits for it."""

import asyncio
import os
import shutil
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import pytest
from sqlalchemy.pool import QueuePool

from orchestrator.app import DISK_THREADS, create_app
from orchestrator.write_back import files
from shared.settings import Settings
from tests.archive import Archive
from tests.rejected import Drive
from tests.site import Site
from tests.stack import a_jpeg

P = ParamSpec("P")
T = TypeVar("T")

DEADLINE_SECONDS = 30  # for what else is asked of the database at that moment


class Slow:
    """Looks at a disk that answer only once no connection is in use."""

    def __init__(self, site: Site) -> None:
        self._pool: QueuePool = site.services.sessions.kw["bind"].sync_engine.pool
        self.looks = 0

    def __call__(self, look: Callable[P, T]) -> Callable[P, T]:
        def slowly(*arguments: P.args, **named: P.kwargs) -> T:
            until = time.monotonic() + DEADLINE_SECONDS
            while self._pool.checkedout():
                assert time.monotonic() < until, f"{look} waits with a connection"
                time.sleep(0.01)
            self.looks += 1
            return look(*arguments, **named)

        return slowly


@pytest.fixture
def slow(archive: Archive) -> Slow:
    return Slow(archive.site)


async def a_photo(archive: Archive) -> int:
    a_jpeg(archive.photos / "a.jpg", seed=1)
    await archive.imported()
    (row,) = await archive.sql("SELECT id FROM photos")
    return int(row["id"])


async def test_a_removal_measures_pictures_without_a_connection(
    archive: Archive, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = await a_photo(archive)
    claims = archive.site.claims
    monkeypatch.setattr(claims, "stats", slow(claims.stats))
    told = (await archive.site.client.post("/api/removals", json={"ids": [photo]})).raise_for_status().json()
    assert told["bytes"] > 0
    assert slow.looks == 1


async def test_free_space_looks_at_a_drive_without_a_connection(
    archive: Archive, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_photo(archive)
    drive = Drive(archive)
    await drive.reject("a.jpg")
    await drive.move(1)
    monkeypatch.setattr(shutil, "disk_usage", slow(shutil.disk_usage))
    monkeypatch.setattr(files, "trouble_with", slow(files.trouble_with))
    with monkeypatch.context() as patched:
        patched.setattr(os.path, "lexists", slow(os.path.lexists))
        seen = await drive.seen()
    assert (seen["set_aside"]["photos"], seen["set_aside"]["missing"], seen["trouble"]) == (1, 0, None)
    assert slow.looks >= 3


async def test_looks_that_hang_leave_others_their_turn(database_url: str, rabbitmq_url: str, tmp_path: Path) -> None:
    names = {"topology_prefix": f"test.{uuid.uuid4().hex[:8]}"}
    app = create_app(Settings(keepers_home=tmp_path, database_url=database_url, rabbitmq_url=rabbitmq_url, **names))
    answers = threading.Event()
    async with app.router.lifespan_context(app):
        hanging = [asyncio.create_task(asyncio.to_thread(answers.wait, 120)) for _ in range(DISK_THREADS // 2)]
        await asyncio.wait_for(asyncio.to_thread(tmp_path.stat), DEADLINE_SECONDS)
        answers.set()
        await asyncio.gather(*hanging)
