"""Setting aside that is stopped anywhere, and what becomes of it."""

import asyncio
import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial

import pytest

from orchestrator.answers import Refused
from orchestrator.imports.set_aside import still_here
from orchestrator.imports.walk import FoundFile, Unit
from orchestrator.models import Root
from orchestrator.rejects import service
from orchestrator.rejects.disk import Disk
from orchestrator.rejects.queries import Wanted
from orchestrator.rejects.service import Move
from orchestrator.rejects.views import Batch
from tests.archive import Archive
from tests.pictures import dng, saved, scene
from tests.ratings_in_files import a_sidecar
from tests.rejected import Drive, FailingDisk, failing, written

FILES = ["a.dng", "a.jpg", "a.xmp", "b.jpg"]


class Killed(BaseException):
    """The process is gone."""


class DyingDisk(FailingDisk):
    """Dies before a rename, or after it and before anybody knows."""

    def __init__(self, root: bytes, at: int, *, is_after: bool) -> None:
        super().__init__(root, at, _die)
        self._is_after = is_after

    def rename(self, source: int, name: bytes, target: int, new_name: bytes) -> None:
        if self._is_after and self._left == 1:
            Disk.rename(self, source, name, target, new_name)
        super().rename(source, name, target, new_name)


def _die() -> None:
    raise Killed


@pytest.fixture
async def drive(archive: Archive) -> Drive:
    """A RAW with all that lies beside it, and a JPEG, both rejected."""
    found = Drive(archive)
    written(archive.photos / "a.dng", dng(scene(90, 60)))
    written(archive.photos / "a.jpg", saved(scene(90, 60, 2), "JPEG"))
    written(archive.photos / "b.jpg", saved(scene(90, 60, 3), "JPEG"))
    a_sidecar(archive, "a.xmp", 2)
    await archive.imported()
    await found.reject("a.dng", "b.jpg")
    return found


def heard(batch: Batch) -> None:
    """Nobody listens."""


async def check_books(drive: Drive) -> None:
    """The archive and the journal say of every file where it lies."""
    for path in await drive.known():
        assert (drive.archive.photos / path).exists(), path
    for path, state in dict(await drive.journal()).items():  # the last that is said of each
        place = drive.archive.photos / ("_keepers_rejected" if state == "aside" else "") / path
        assert state in ("aside", "returned"), (path, state)
        assert place.exists(), (path, state)


@pytest.mark.parametrize("is_after", [False, True])
async def test_killed_at_any_rename_the_same_again_ends_as_if_nothing_had_been(drive: Drive, is_after: bool) -> None:
    sessions, root = drive.archive.site.services.sessions, await drive.root_id()
    for at in range(1, len(FILES) + 1):
        dying = partial(DyingDisk, at=at, is_after=is_after)
        with pytest.raises(Killed):
            await service.carry_out(sessions, Move(root, 2), heard, dying)
        await service.settle_interrupted(sessions)
        await check_books(drive)
        left = (await drive.seen())["rejected"]["photos"]
        if left:
            await drive.move(left)
        assert drive.files == [f"_keepers_rejected/{name}" for name in FILES]
        await check_books(drive)
        with pytest.raises(Killed):
            await service.carry_out(sessions, Wanted(root), heard, dying)
        (last,) = (await drive.client.get("/api/free-space")).json()["batches"]
        assert (last["state"], last["error"][:30]) == ("stopped", "Keepers was ended meanwhile. N")
        await service.settle_interrupted(sessions)
        await check_books(drive)
        if any(state == "aside" for _, state in await drive.journal()):
            await drive.restore()
        assert drive.files == FILES
        await check_books(drive)


async def test_a_process_that_is_really_killed_leaves_nothing_unsaid(drive: Drive) -> None:
    url = drive.archive.settings.database_url
    assert url is not None
    killed = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "tests.doubles.dying_mover", url, str(await drive.root_id()), "2", "3"],
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert {state for _, state in await drive.journal()} == {"moving"}
    batch = await drive.move((await drive.seen())["rejected"]["photos"])
    assert batch["state"] == "done"
    assert drive.files == [f"_keepers_rejected/{name}" for name in FILES]
    await check_books(drive)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (errno.ENOSPC, "is full: there is no room for another name."),
        (errno.EROFS, "can only be read now."),
        (errno.ENODEV, "is not connected any more, or fails"),
        (errno.EIO, "is not connected any more, or fails"),
    ],
)
async def test_a_drive_that_fails_stops_the_work_with_a_sentence(drive: Drive, error: int, sentence: str) -> None:
    drive.breaks(failing(4, error))  # a.dng and what lies beside it has gone by then
    batch = await drive.move(2)
    assert (batch["state"], batch["files"]) == ("stopped", 3)
    assert sentence in batch["error"]
    assert batch["error"].endswith("What was moved before is written down; the same again goes on.")
    await check_books(drive)
    drive.breaks(Disk)
    assert (await drive.move(1))["state"] == "done"
    assert drive.files == [f"_keepers_rejected/{name}" for name in FILES]


async def test_a_drive_that_is_unplugged_meanwhile_is_settled_when_it_is_back(drive: Drive) -> None:
    photos = drive.archive.photos

    def unplug() -> None:
        if photos.exists():
            photos.rename(photos.with_name("away"))

    drive.breaks(lambda root: FailingDisk(root, 2, unplug))
    batch = await drive.move(2)
    assert (batch["state"], "is not connected any more" in batch["error"]) == ("stopped", True)
    await service.settle_interrupted(drive.archive.site.services.sessions)
    assert "moving" in {state for _, state in await drive.journal()}  # nobody can say
    drive.breaks(Disk)
    root = await drive.root_id()
    refused = await drive.client.post("/api/rejects/move", json={"root": root, "confirm_count": 2})
    assert refused.json()["error"]["type"] == "root_offline"
    photos.with_name("away").rename(photos)
    await service.settle_interrupted(drive.archive.site.services.sessions)
    await check_books(drive)
    if left := (await drive.seen())["rejected"]["photos"]:
        await drive.move(left)
    assert drive.files == [f"_keepers_rejected/{name}" for name in FILES]


async def test_files_of_one_photo_stay_together_when_one_of_them_cannot_go(drive: Drive) -> None:
    def once(number: int) -> Callable[[], None]:
        failures = iter([OSError(number, os.strerror(number))])

        def fail() -> None:
            if (failure := next(failures, None)) is not None:
                raise failure

        return fail

    drive.breaks(lambda root: FailingDisk(root, 3, once(errno.EXDEV)))
    batch = await drive.move(2)
    assert (batch["state"], batch["left"], batch["files"]) == ("done", 1, 1)
    why = "a.dng lies on another drive than its folder of photos, and is never copied."
    assert [one["message"] for one in batch["not_moved"]] == [why]
    assert drive.files == ["_keepers_rejected/b.jpg", "a.dng", "a.jpg", "a.xmp"]
    await check_books(drive)


async def test_what_a_program_writes_at_the_same_moment_is_neither_lost_nor_taken_for_what_was_read(
    drive: Drive,
) -> None:
    def write() -> None:
        for path in (drive.archive.photos / "a.dng", drive.archive.photos / "b.jpg"):
            if path.exists():
                path.write_bytes(path.read_bytes() + b"more")

    drive.breaks(lambda root: FailingDisk(root, 3, write))  # a.dng was looked at already, b.jpg was not
    batch = await drive.move(2)
    assert (batch["state"], batch["files"], batch["left"]) == ("done", 3, 1)
    assert batch["not_moved"][0]["message"] == "b.jpg stays: it was changed just now."
    assert drive.files == ["_keepers_rejected/a.dng", "_keepers_rejected/a.jpg", "_keepers_rejected/a.xmp", "b.jpg"]
    await check_books(drive)
    drive.breaks(Disk)
    await drive.restore()
    assert drive.files == FILES


async def test_a_drive_stays_locked_until_its_last_rename_however_often_the_work_is_cancelled(drive: Drive) -> None:
    may_go_on, has_begun, closed = threading.Event(), threading.Event(), list[bool]()

    class Slow(FailingDisk):
        def __exit__(self, *_: object) -> None:
            closed.append(may_go_on.is_set())
            super().__exit__(None, None, None)

    def wait() -> None:
        has_begun.set()
        assert may_go_on.wait(60)

    move = Move(await drive.root_id(), 2)
    sessions = drive.archive.site.services.sessions
    work = asyncio.create_task(service.carry_out(sessions, move, heard, lambda root: Slow(root, 1, wait)))
    assert await asyncio.to_thread(has_begun.wait, 60)
    for _ in range(2):
        work.cancel()
        await asyncio.wait([work], timeout=0.1)
    may_go_on.set()
    await asyncio.wait([work])
    assert (work.cancelled(), closed) == (True, [True])
    await service.settle_interrupted(sessions)
    await check_books(drive)
    assert drive.files == [f"_keepers_rejected/{name}" for name in FILES]


async def test_a_photo_that_is_restored_while_it_is_on_its_way_is_put_back(drive: Drive) -> None:
    loop = asyncio.get_running_loop()
    changed: list[int] = []

    def change_mind() -> None:
        if not changed:
            changed.append(1)
            asyncio.run_coroutine_threadsafe(drive.reject("b.jpg", action="restore"), loop).result(30)

    drive.breaks(lambda root: FailingDisk(root, 2, change_mind))
    batch = await drive.move(2)
    assert (batch["state"], batch["files"], batch["left"]) == ("done", 3, 1)
    assert batch["not_moved"][0]["message"] == "A photo was restored while it was set aside: it is back where it was."
    assert drive.files == ["_keepers_rejected/a.dng", "_keepers_rejected/a.jpg", "_keepers_rejected/a.xmp", "b.jpg"]
    await check_books(drive)


async def test_one_of_all_processes_moves_originals(drive: Drive) -> None:
    may_go_on, has_begun = threading.Event(), threading.Event()

    def wait() -> None:
        has_begun.set()
        assert may_go_on.wait(60)

    root = await drive.root_id()
    drive.breaks(lambda path: FailingDisk(path, 1, wait))
    begun = await drive.client.post("/api/rejects/move", json={"root": root, "confirm_count": 2})
    assert await asyncio.to_thread(has_begun.wait, 60)
    seen = (await drive.client.get(f"/api/rejects/batches/{begun.json()['id']}")).json()
    assert (seen["state"], seen["total"]) == ("running", 2)
    with pytest.raises(Refused, match="are being moved already"):  # as another orchestrator would
        await service.carry_out(drive.archive.site.services.sessions, Move(root, 2), heard)
    await service.settle_interrupted(drive.archive.site.services.sessions)  # not what is in hand
    may_go_on.set()
    assert (await drive.ended(begun))["files"] == len(FILES)
    await check_books(drive)


async def test_a_scan_that_saw_a_file_before_it_was_set_aside_makes_no_new_photo_of_it(drive: Drive) -> None:
    seen = [Unit(FoundFile(name.encode(), 1, 1)) for name in ("a.dng", "b.jpg", "new.jpg")]
    await drive.move(2)
    async with drive.archive.site.session() as session:
        root = await session.get_one(Root, await drive.root_id())
        assert [unit.main.path for unit in await still_here(session, root, seen)] == [b"new.jpg"]
    written(drive.archive.photos / "b.jpg", saved(scene(90, 60, 9), "JPEG"))  # another picture of the same name
    again = await drive.archive.imported()
    assert (again["found"], again["done"]) == (1, 1)
