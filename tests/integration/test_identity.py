"""Whose photo is it? The same bytes are never two photos, and decisions follow the bytes."""

import asyncio
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.archive import Archive, a_pair, rate, reject, sweep, with_new_metadata
from tests.stack import a_jpeg


async def test_the_same_folder_imported_twice_at_once_is_imported_once(archive: Archive) -> None:
    for i in range(12):
        a_jpeg(archive.photos / f"{i % 3}" / f"{i}.jpg", seed=i)
    imports = await asyncio.gather(*(archive.start() for _ in range(4)))
    for import_id in imports:
        assert (await archive.scanned(import_id))["found"] == 12
    await archive.work()
    assert [(await archive.progress(one))["state"] for one in imports] == ["done"] * 4
    assert archive.converted == 12
    assert await archive.sql("SELECT count(*) FROM photos") == [{"count": 12}]
    await archive.check_books()


async def test_importing_again_skips_everything_with_the_reason(archive: Archive) -> None:
    for i in range(5):
        a_jpeg(archive.photos / f"{i}.jpg", seed=i)
    await archive.imported()
    again = await archive.imported()
    assert (again["found"], again["skipped"]) == (5, 5)
    assert set((await archive.items(again["id"])).values()) == {("skipped", "already in the archive")}
    assert archive.converted == 5


async def test_importing_unchanged_files_again_opens_none_of_them(archive: Archive, opened: Callable[..., Any]) -> None:
    for i in range(40):
        a_jpeg(archive.photos / "alike" / f"{i}.jpg", seed=i % 4)  # copies among them: the same sizes
    for i in range(3):
        a_pair(archive.photos / "pairs", f"DSC_{i}", seed=i)
    await archive.imported()
    with opened(archive.photos) as names:
        again = await archive.imported()
    assert again["skipped"] == 43
    assert names == []


@pytest.fixture
def opened() -> Callable[[Path], Any]:
    return Opened


class Opened:
    """The files below a folder that this process opens meanwhile. An audit hook cannot be removed, only silenced."""

    def __init__(self, folder: Path) -> None:
        self.names: list[str] = []
        self._folder = os.fspath(folder)
        self._is_on = False
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._is_on and event == "open" and isinstance(arguments[0], (str, bytes)):
            name = os.fsdecode(arguments[0])
            if name.startswith(self._folder):
                self.names.append(name)

    def __enter__(self) -> list[str]:
        self._is_on = True
        return self.names

    def __exit__(self, *_: object) -> None:
        self._is_on = False


async def test_what_counts_the_opened_files_counts_them(archive: Archive, opened: Callable[..., Any]) -> None:
    photo = a_jpeg(archive.photos / "a.jpg", seed=1)
    with opened(archive.photos) as names:
        await archive.imported()
    assert str(photo) in names


async def test_a_renamed_photo_keeps_its_rating(archive: Archive) -> None:
    photo = a_jpeg(archive.photos / "a.jpg", seed=1)
    await archive.imported()
    photo_id = await rate(archive)
    photo.rename(archive.photos / "b.jpg")
    again = await archive.imported()
    assert (await archive.items(again["id"])) == {"b.jpg": ("skipped", "moved here from a.jpg")}
    now = await archive.photo()
    assert (now["id"], now["user_rating"], now["file_name"]) == (photo_id, 4, "b.jpg")
    assert now["file_path"] == str(archive.photos / "b.jpg")
    assert await archive.files() == [("b.jpg", "original", photo_id)]
    assert archive.converted == 1
    await archive.check_books()


async def test_a_photo_renamed_while_it_is_converted_is_one_photo(archive: Archive) -> None:
    photo = a_jpeg(archive.photos / "a.jpg", seed=1)
    first = await archive.start()
    await archive.scanned(first)
    answers = archive.answer(await archive.queued())
    photo.rename(archive.photos / "b.jpg")
    second = await archive.start()
    await archive.scanned(second)
    answers += archive.answer(await archive.queued())
    await archive.apply(answers)
    now = await archive.photo()
    assert (now["file_name"], now["user_rating"]) == ("b.jpg", None)
    assert await archive.files() == [("b.jpg", "original", now["id"])]
    assert {(await archive.progress(one))["state"] for one in (first, second)} == {"done"}
    assert await archive.items(second) == {"b.jpg": ("skipped", "moved here from a.jpg")}
    await archive.check_books()


async def test_a_renamed_folder_keeps_every_decision(archive: Archive) -> None:
    for i in range(6):
        a_jpeg(archive.photos / "old" / f"{i}.jpg", seed=i)
    a_pair(archive.photos / "old")
    await archive.imported()
    await archive.sql("UPDATE photos SET user_rating = 1 + id % 5")
    before = await archive.sql("SELECT id, user_rating, file_name FROM photos ORDER BY id")
    (archive.photos / "old").rename(archive.photos / "new")
    again = await archive.imported()
    assert (again["found"], again["skipped"]) == (7, 7)
    assert await archive.sql("SELECT id, user_rating, file_name FROM photos ORDER BY id") == before
    assert {path.partition("/")[0] for path, _, _ in await archive.files()} == {"new"}
    assert [role for _, role, _ in await archive.files()].count("companion") == 1
    assert archive.converted == 7


async def test_photos_renamed_over_each_other_keep_their_own_ratings(archive: Archive) -> None:
    """What a tool does that numbers files anew: every name but the last was another photo's before."""
    for i in range(1, 4):
        a_jpeg(archive.photos / f"IMG_{i}.jpg", seed=i)
    await archive.imported()
    await archive.sql("UPDATE photos SET user_rating = CAST(substr(file_name, 5, 1) AS int)")
    hashes = await archive.sql("SELECT content_hash, user_rating FROM photos ORDER BY id")
    for i in (3, 2, 1):
        (archive.photos / f"IMG_{i}.jpg").rename(archive.photos / f"IMG_{i + 1}.jpg")
    again = await archive.imported()
    assert again["skipped"] == 3
    now = await archive.sql("SELECT file_name, user_rating FROM photos ORDER BY id")
    assert [(row["file_name"], row["user_rating"]) for row in now] == [(f"IMG_{i + 1}.jpg", i) for i in (1, 2, 3)]
    assert await archive.sql("SELECT content_hash, user_rating FROM photos ORDER BY id") == hashes
    await archive.check_books()


async def test_two_photos_that_swap_names_swap_only_names(archive: Archive) -> None:
    one, two = a_jpeg(archive.photos / "one.jpg", seed=1), a_jpeg(archive.photos / "two.jpg", seed=2)
    await archive.imported()
    before = {row["file_name"]: row["id"] for row in await archive.sql("SELECT id, file_name FROM photos")}
    one.rename(archive.photos / "three")
    two.rename(one)
    (archive.photos / "three").rename(two)
    await archive.imported()
    after = {row["file_name"]: row["id"] for row in await archive.sql("SELECT id, file_name FROM photos")}
    assert after == {"one.jpg": before["two.jpg"], "two.jpg": before["one.jpg"]}
    await archive.check_books()


async def test_a_photo_overwritten_by_another_leaves_no_photo_twice(archive: Archive) -> None:
    one, two = a_jpeg(archive.photos / "one.jpg", seed=1), a_jpeg(archive.photos / "two.jpg", seed=2)
    await archive.imported()
    shutil.copyfile(one, two)
    again = await archive.imported()
    assert (again["skipped"], again["pending"]) == (2, 0)
    rows = await archive.sql("SELECT file_name FROM photos ORDER BY id")
    assert [row["file_name"] for row in rows] == ["one.jpg", "two.jpg"]  # its preview is all that is left of it
    assert [(path, role) for path, role, _ in await archive.files()] == [("one.jpg", "original"), ("two.jpg", "copy")]
    await archive.check_books()


async def test_a_photo_moved_to_another_root_keeps_its_rating(archive: Archive, tmp_path: Path) -> None:
    photo = a_jpeg(archive.photos / "a.jpg", seed=1)
    a_jpeg(archive.photos / "stays.jpg", seed=2)
    await archive.imported()
    await archive.sql("UPDATE photos SET user_rating = 5 WHERE file_name = 'a.jpg'")
    other = tmp_path / "other"
    other.mkdir()
    photo.rename(other / "a.jpg")
    again = await archive.imported(other)
    assert again["skipped"] == 1
    rows = await archive.sql("SELECT file_path, user_rating FROM photos WHERE file_name = 'a.jpg'")
    assert rows == [{"file_path": str(other / "a.jpg"), "user_rating": 5}]
    assert await archive.sql("SELECT count(*) FROM roots") == [{"count": 2}]


async def test_a_copy_is_no_second_photo(archive: Archive) -> None:
    photo = a_jpeg(archive.photos / "a.jpg", seed=1)
    await archive.imported()
    shutil.copyfile(photo, archive.photos / "b.jpg")
    again = await archive.imported()
    assert (await archive.items(again["id"]))["b.jpg"] == ("skipped", "a copy of a.jpg")
    assert [role for _, role, _ in await archive.files()] == ["original", "copy"]
    assert archive.converted == 1


async def test_copies_that_arrive_together_are_one_photo(archive: Archive) -> None:
    photo = a_jpeg(archive.photos / "a.jpg", seed=1)
    for i in range(3):
        shutil.copyfile(photo, archive.photos / f"b{i}.jpg")
    seen = await archive.imported()
    assert (seen["found"], seen["done"], seen["skipped"]) == (4, 1, 3)
    assert len(await archive.sql("SELECT 1 FROM photos")) == 1
    await archive.check_books()


async def test_a_copy_takes_the_place_of_a_removed_original(archive: Archive) -> None:
    photo = a_jpeg(archive.photos / "a.jpg", seed=1)
    shutil.copyfile(photo, archive.photos / "b.jpg")
    await archive.imported()
    photo_id = await rate(archive)
    kept = "b.jpg" if (await archive.photo())["file_name"] == "a.jpg" else "a.jpg"
    (archive.photos / (await archive.photo())["file_name"]).unlink()
    await archive.imported()
    now = await archive.photo()
    assert (now["file_name"], now["user_rating"]) == (kept, 4)
    assert await archive.files() == [(kept, "original", photo_id)]


async def test_a_copy_that_was_edited_becomes_a_photo_of_its_own(archive: Archive) -> None:
    photo = a_jpeg(archive.photos / "a.jpg", seed=1)
    shutil.copyfile(photo, archive.photos / "b.jpg")
    await archive.imported()
    roles = {path: role for path, role, _ in await archive.files()}
    edited = archive.photos / next(path for path, role in roles.items() if role == "copy")
    a_jpeg(edited, seed=77)
    again = await archive.imported()
    assert (again["done"], again["skipped"]) == (1, 1)
    assert len(await archive.sql("SELECT 1 FROM photos")) == 2
    await archive.check_books()


async def test_metadata_written_into_imported_photos_makes_no_new_photo(archive: Archive) -> None:
    for i in range(30):
        a_jpeg(archive.photos / f"{i:02}.jpg", seed=i)
    await archive.imported()
    await archive.sql("UPDATE photos SET user_rating = 1 + id % 5, kept_at = now()")
    before = await archive.sql("SELECT id, user_rating, kept_at, file_name FROM photos ORDER BY id")
    hashes = await archive.sql("SELECT content_hash FROM photos ORDER BY id")
    for path in archive.photos.iterdir():
        with_new_metadata(path, "Ansel")
    again = await archive.imported()
    assert (again["found"], again["done"]) == (30, 30)
    assert await archive.sql("SELECT id, user_rating, kept_at, file_name FROM photos ORDER BY id") == before
    assert await archive.sql("SELECT content_hash FROM photos ORDER BY id") != hashes
    assert len(await archive.sql("SELECT 1 FROM orphan_candidates")) == 60
    await archive.check_books()
    assert (await archive.imported())["skipped"] == 30


async def test_a_rejected_photo_comes_back_by_no_import(archive: Archive, tmp_path: Path) -> None:
    raw, jpeg = a_pair(archive.photos)
    await archive.imported()
    await reject(archive)
    elsewhere = archive.photos / "elsewhere"
    elsewhere.mkdir()
    shutil.copyfile(raw, elsewhere / "copy.dng")  # its copy under another name
    shutil.copyfile(jpeg, elsewhere / "alone.jpg")  # its companion alone
    a_pair(archive.photos / "both")  # both again
    with_new_metadata(jpeg, "Ansel")
    again = await archive.imported()
    assert set((await archive.items(again["id"])).values()) == {("skipped", "rejected before")}
    assert again["skipped"] == 4
    assert (await archive.photo())["rejected_at"] is not None
    assert archive.converted == 1
    await archive.check_books()


async def test_a_raw_that_joins_a_rejected_jpeg_is_rejected_too(archive: Archive, tmp_path: Path) -> None:
    raw, jpeg = a_pair(tmp_path / "card")
    shutil.copyfile(jpeg, archive.photos / jpeg.name)
    await archive.imported()
    await reject(archive)
    shutil.copyfile(raw, archive.photos / raw.name)
    again = await archive.imported()
    assert set((await archive.items(again["id"])).values()) == {("skipped", "rejected before")}
    assert len(await archive.sql("SELECT 1 FROM photos")) == 1


async def test_a_rejected_photo_comes_not_back_by_an_answer_under_way(archive: Archive) -> None:
    photo = a_jpeg(archive.photos / "a.jpg", seed=1)
    await archive.imported()
    shutil.copyfile(photo, archive.photos / "b.png")
    os.truncate(photo, photo.stat().st_size)
    await archive.sql("UPDATE photo_files SET quick_hash = NULL")  # as if it were converted only now
    second = await archive.start()
    await archive.scanned(second)
    answers = archive.answer(await archive.queued())
    await reject(archive)
    await archive.apply(answers)
    assert (await archive.items(second))["b.png"] == ("skipped", "rejected before")
    assert len(await archive.sql("SELECT 1 FROM photos")) == 1
    await archive.check_books()


async def test_a_removed_photo_gets_no_preview_from_an_answer_under_way(archive: Archive) -> None:
    a_jpeg(archive.photos / "a.jpg", seed=1)
    import_id = await archive.start()
    await archive.scanned(import_id)
    answers = archive.answer(await archive.queued())
    await archive.sql("UPDATE photos SET deleted_at = now()")
    await archive.apply(answers)
    assert (await archive.photo())["preview"] is None
    assert await archive.items(import_id) == {"a.jpg": ("skipped", "removed before")}
    await archive.check_books()


async def test_an_answer_applied_twice_changes_nothing(archive: Archive) -> None:
    a_jpeg(archive.photos / "a.jpg", seed=1)
    await archive.scanned(await archive.start())
    answers = archive.answer(await archive.queued())
    await archive.apply(answers + answers)
    before = await archive.photo()
    await archive.apply(answers)
    assert await archive.photo() == before
    await sweep(archive, older_than_seconds=0)
    assert archive.site.claims.verify(before["preview"])
    await archive.check_books()


async def test_an_overtaken_failure_counts_as_done_once_its_photo_passes(archive: Archive) -> None:
    photo = archive.photos / "a.jpg"
    photo.write_bytes(b"no photo yet")
    first = await archive.imported()
    assert first["failed"] == 1
    a_jpeg(photo, seed=1)
    assert (await archive.imported())["done"] == 1
    assert (await archive.progress(first["id"]))["done"] == 1
    await archive.check_books()
