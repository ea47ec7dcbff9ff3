"""A RAW and the JPEG beside it are one photo."""

import shutil
from pathlib import Path

import pytest

from tests.archive import Archive, a_pair, rate, with_new_metadata
from tests.pictures import dng, scene
from tests.stack import a_jpeg


@pytest.mark.parametrize("first", ["raw", "jpeg", "both"])
async def test_a_raw_and_its_jpeg_are_one_photo_in_either_order(archive: Archive, tmp_path: Path, first: str) -> None:
    raw, jpeg = a_pair(tmp_path / "card")
    arrivals = {"raw": [[raw], [jpeg]], "jpeg": [[jpeg], [raw]], "both": [[raw, jpeg]]}[first]
    photo_id = 0
    for files in arrivals:
        for file in files:
            shutil.copyfile(file, archive.photos / file.name)
        seen = await archive.imported()
        assert (seen["found"], seen["pending"], seen["failed"]) == (1, 0, 0)
        photo_id = photo_id or await rate(archive)
    now = await archive.photo()
    assert (now["id"], now["user_rating"], now["file_name"], now["format"]) == (photo_id, 4, "DSC_0001.DNG", "DNG")
    assert await archive.files() == [("DSC_0001.DNG", "original", photo_id), ("DSC_0001.JPG", "companion", photo_id)]
    assert all(row["content_hash"] for row in await archive.sql("SELECT content_hash FROM photo_files"))
    assert (await archive.imported())["skipped"] == 1
    await archive.check_books()


async def test_a_raw_that_arrives_while_its_jpeg_is_converted_takes_over(archive: Archive, tmp_path: Path) -> None:
    raw, jpeg = a_pair(tmp_path / "card")
    shutil.copyfile(jpeg, archive.photos / jpeg.name)
    first = await archive.start()
    await archive.scanned(first)
    late = archive.answer(await archive.queued())
    shutil.copyfile(raw, archive.photos / raw.name)
    second = await archive.start()
    await archive.scanned(second)
    await archive.apply(late)  # stale
    await archive.work()
    assert (await archive.photo())["format"] == "DNG"
    assert [(await archive.progress(one))["done"] for one in (first, second)] == [1, 1]
    await archive.check_books()


async def test_a_raw_moved_beside_its_jpeg_is_one_photo_with_it(archive: Archive, tmp_path: Path) -> None:
    raw, _ = a_pair(archive.photos)
    (archive.photos / "raws").mkdir()
    raw.rename(archive.photos / "raws" / raw.name)
    assert (await archive.imported())["done"] == 2
    await archive.sql("UPDATE photos SET user_rating = 3 WHERE format = 'JPEG'")
    (archive.photos / "raws" / raw.name).rename(raw)
    assert (await archive.imported())["done"] == 1
    now = await archive.photo()
    assert (now["format"], now["user_rating"]) == ("DNG", 3)
    assert [role for _, role, _ in await archive.files()] == ["original", "companion"]
    await archive.check_books()


async def test_a_second_raw_of_the_same_name_is_a_photo_of_its_own(archive: Archive) -> None:
    raw, _ = a_pair(archive.photos)
    await archive.imported()
    shutil.copyfile(raw, archive.photos / "DSC_0001.CR2")
    with_other_pixels = dng(scene(240, 160, seed=9))
    (archive.photos / "DSC_0001.CR2").write_bytes(with_other_pixels)
    seen = await archive.imported()
    assert (seen["found"], seen["failed"]) == (2, 0)
    assert len(await archive.sql("SELECT 1 FROM photos")) == 2


async def test_a_changed_companion_refreshes_its_photo(archive: Archive) -> None:
    _, jpeg = a_pair(archive.photos)
    await archive.imported()
    photo_id = await rate(archive)
    with_new_metadata(jpeg, "Ansel")
    again = await archive.imported()
    assert again["done"] == 1
    assert (await archive.photo())["id"] == photo_id
    assert (await archive.imported())["skipped"] == 1
    await archive.check_books()


async def test_the_same_stem_in_two_folders_is_two_photos(archive: Archive) -> None:
    a_pair(archive.photos / "one", seed=1)
    a_pair(archive.photos / "two", seed=2)
    a_jpeg(archive.photos / "three" / "DSC_0001.JPG", seed=3)
    seen = await archive.imported()
    assert (seen["found"], seen["done"]) == (3, 3)
    assert len(await archive.sql("SELECT 1 FROM photos")) == 3
