"""An export that is stopped anywhere, and what the next one makes of it."""

import errno
import json
import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from PIL import Image

from orchestrator.export import manifest
from orchestrator.export.disk import Disk
from orchestrator.export.exporter import Job, Progress, export
from orchestrator.export.photo import Photo as PhotoToExport
from shared.claims_folder import FolderClaims
from tests.exporting import PREVIEW


class Killed(BaseException):
    """The process is gone."""


class StoppingDisk(Disk):
    """Stops at one step: before it, or half-way through what it writes. Nothing is done after that, unless it is a
    hiccup."""

    def __init__(self, stop_at: int, stop: BaseException, *, half_way: bool = False, is_hiccup: bool = False) -> None:
        self.steps = 0
        self._stop_at = stop_at
        self._stop = stop
        self._half_way = half_way
        self._is_hiccup = is_hiccup

    def write(self, path: Path, data: bytes) -> None:
        super().write(path, self._step(path, data))
        self._end()

    def append(self, path: Path, data: bytes) -> None:
        super().append(path, self._step(path, data))
        self._end()

    def publish(self, temporary: Path, final: Path) -> None:
        self._step(None)
        if self.steps == self._stop_at:
            os.link(temporary, final)  # and not yet unlinked
        self._end()
        super().publish(temporary, final)

    def replace(self, temporary: Path, final: Path) -> None:
        self._step(None)
        self._end()
        super().replace(temporary, final)

    def remove(self, path: Path) -> None:
        self._step(None)
        self._end()
        super().remove(path)

    def _step(self, path: Path | None, data: bytes = b"") -> bytes:
        self.steps += 1
        if (self.steps > self._stop_at and not self._is_hiccup) or (self.steps == self._stop_at and not self._half_way):
            raise self._stop
        return data[: len(data) // 2] if self.steps == self._stop_at else data

    def _end(self) -> None:
        if self.steps == self._stop_at:
            raise self._stop


def photos(claims: FolderClaims, names: Iterable[str]) -> list[PhotoToExport]:
    nothing = dict.fromkeys(
        ("subject", "content_type", "lighting", "mood", "captured_at", "utc_offset_minutes", "project")
    )
    return [
        PhotoToExport(
            id=n, content_hash=f"{n:08x}", file_name=name, preview=claims.put("preview.jpg", PREVIEW), user_rating=4,
            long_edge=96, manual_match=False, preference_score=None, tags=(), passes=True, **nothing,
        )
        for n, name in enumerate(names, 1)
    ]  # fmt: skip


STOPS = [
    (Killed(), False),
    (OSError(errno.ENOSPC, "No space left on device"), False),
    (OSError(errno.EIO, "I/O"), True),
]


@pytest.mark.parametrize("half_way", [False, True])
@pytest.mark.parametrize(("stop", "is_hiccup"), STOPS, ids=["kill", "full", "hiccup"])
def test_an_export_stopped_anywhere_leaves_a_valid_manifest_and_the_next_one_completes_it(
    tmp_path: Path, stop: BaseException, is_hiccup: bool, half_way: bool
) -> None:
    claims = FolderClaims(tmp_path / "claims")
    chosen = photos(claims, ["a.jpg", "b.jpg", "a.NEF"])
    whole = {"a.jpg", "b.jpg", "a-00000003.jpg"}
    stop_at, is_through = 0, False
    while not is_through:
        stop_at += 1
        target = tmp_path / f"{stop_at}"
        target.mkdir()
        export(Job(target, []), claims, Progress())
        disk = StoppingDisk(stop_at, stop, half_way=half_way, is_hiccup=is_hiccup)
        try:
            export(Job(target, chosen), claims, Progress(), disk)
            is_through = True
        except (Killed, OSError):
            named = {entry["filename"] for entry in json.loads((target / "photos.json").read_bytes())}
            assert all((target / name).stat().st_size for name in named)
        export(Job(target, chosen), claims, Progress())
        entries = json.loads((target / "photos.json").read_bytes())
        assert sorted(entry["photo_id"] for entry in entries) == [1, 2, 3], stop_at
        assert {entry["filename"] for entry in entries} == whole
        assert {path.name for path in target.iterdir()} - {manifest.MANIFEST_PART} == whole | {"photos.json"}, stop_at
        for name in whole:
            with Image.open(target / name) as image:
                image.load()
    assert stop_at > 10


def test_a_file_put_under_the_name_of_a_picture_that_was_never_published_is_not_taken_for_it(tmp_path: Path) -> None:
    claims, target = FolderClaims(tmp_path / "claims"), tmp_path / "website"
    chosen = photos(claims, ["a.jpg"])
    with pytest.raises(Killed):  # the journal has the name, the folder has not
        export(Job(target, chosen), claims, Progress(), StoppingDisk(3, Killed()))
    (target / "a.jpg").write_bytes(b"mine")
    export(Job(target, chosen), claims, Progress())
    (entry,) = json.loads((target / "photos.json").read_bytes())
    assert entry["filename"] == "a-00000001.jpg"
    assert (target / "a.jpg").read_bytes() == b"mine"
