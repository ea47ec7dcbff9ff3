"""Rejected photos whose originals are set aside and brought back, and a disk that fails."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestrator.rejects.background import Rejects
from orchestrator.rejects.disk import Disk
from tests.archive import Archive

ENDED_SECONDS = 60.0


class Drive:
    """The photos of an archive as one drive."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.client = archive.site.client

    async def root_id(self) -> int:
        (root,) = await self.archive.sql("SELECT id FROM roots")
        return int(root["id"])

    async def reject(self, *names: str, action: str = "reject") -> None:
        for name in names:
            (photo,) = await self.archive.sql("SELECT id FROM photos WHERE file_name = :name", name=name)
            assert (await self.client.post(f"/api/photos/{photo['id']}/{action}")).status_code == 200

    async def move(self, count: int, root: int | None = None) -> dict[str, Any]:
        """Set aside, to its end."""
        wish = {"root": root or await self.root_id(), "confirm_count": count}
        return await self.ended(await self.client.post("/api/rejects/move", json=wish))

    async def restore(self, **wish: Any) -> dict[str, Any]:
        wish = wish or {"root": await self.root_id()}
        return await self.ended(await self.client.post("/api/rejects/restore", json=wish))

    async def ended(self, answer: Any) -> dict[str, Any]:
        assert answer.status_code == 202, answer.text
        batch: dict[str, Any] = answer.json()
        deadline = time.monotonic() + ENDED_SECONDS
        while batch["state"] == "running":
            assert time.monotonic() < deadline, batch
            await asyncio.sleep(0.01)
            batch = (await self.client.get(f"/api/rejects/batches/{batch['id']}")).json()
        return batch

    async def seen(self) -> dict[str, Any]:
        """The only drive of the page."""
        answer = await self.client.get("/api/free-space")
        assert answer.status_code == 200, answer.text
        (drive,) = answer.json()["drives"]
        return dict(drive)

    @property
    def files(self) -> list[str]:
        """What lies on the drive."""
        found = [path for path in self.archive.photos.rglob("*") if path.is_file()]
        return sorted(str(path.relative_to(self.archive.photos)) for path in found)

    async def known(self) -> list[str]:
        """Where the archive believes files of photos to be."""
        return sorted(path for path, _, _ in await self.archive.files())

    async def journal(self) -> list[tuple[str, str]]:
        rows = await self.archive.sql("SELECT path, state FROM set_aside ORDER BY path, id")
        return [(os.fsdecode(row["path"]), row["state"]) for row in rows]

    def breaks(self, open_disk: Callable[[bytes], Disk]) -> None:
        """From now on the disk behaves like this one."""
        self.archive.site.app.state.rejects = Rejects(self.archive.site.services.sessions, open_disk)


class FailingDisk(Disk):
    """From the rename number `at` on each does `instead`, or what it does is only said to have failed."""

    def __init__(self, root: bytes, at: int, instead: Callable[[], None]) -> None:
        super().__init__(root)
        self._left = at
        self._instead = instead

    def rename(self, source: int, name: bytes, target: int, new_name: bytes) -> None:
        self._left -= 1
        if self._left <= 0:
            self._instead()
        super().rename(source, name, target, new_name)


def failing(at: int, error: int) -> Callable[[bytes], Disk]:
    """A disk that fails with this error of the system from the rename number `at` on."""

    def fail() -> None:
        raise OSError(error, os.strerror(error))

    return lambda root: FailingDisk(root, at, fail)


def written(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
