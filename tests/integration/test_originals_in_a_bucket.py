"""Originals in a bucket: imported, rated and looked at like those in a folder, and never written to."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from orchestrator.doctor.checks import Patient
from orchestrator.doctor.machine import libraries
from shared.settings import Settings
from tests.archive import Archive, a_pair, rate
from tests.exporting import Desk as ExportDesk
from tests.objects import Shelf, settings_for
from tests.pictures import saved, scene
from tests.ratings_in_files import packet
from tests.site import open_site
from tests.stack import Stack, a_jpeg


@pytest.fixture
async def archive(database_url: str, shelf: Shelf, tmp_path: Path) -> AsyncIterator[Archive]:
    """One that may read folders beside the bucket."""
    (tmp_path / "photos").mkdir()
    named: dict[str, Any] = settings_for(shelf.endpoint, claims_url=None)
    libraries = f"{tmp_path / 'photos'}:s3://{shelf.name}/archive"
    settings = Settings(keepers_home=tmp_path / "home", database_url=database_url, photo_libraries=libraries, **named)
    async with open_site(settings) as site:
        yield Archive(site, tmp_path)


def jpeg(seed: int) -> bytes:
    return saved(scene(120, 80, seed), "JPEG")


async def test_photos_in_a_bucket_are_imported_and_shown(archive: Archive, shelf: Shelf) -> None:
    shelf.put("archive/2024/a b #1 100%.jpg", jpeg(1))
    shelf.put("archive/2024/ü.jpg", jpeg(2))
    shelf.put("archive/notes.txt", b"no photo")
    shelf.put("other/c.jpg", jpeg(3))
    for folder in ("archive/", "archive/2024/", "archive/empty/"):  # as browsers of buckets make them
        shelf.put(folder, b"")
    shelf.put("archive/2024-12.jpg", jpeg(4))
    shelf.put("archive/.trash/d.jpg", jpeg(5))
    seen = await archive.imported(f"s3://{shelf.name}/archive")
    assert (seen["done"], seen["failed"], seen["left_alone"]) == (3, 0, {"txt": 1})
    paths = [row["file_path"] for row in await archive.sql("SELECT file_path FROM photos ORDER BY file_path")]
    assert paths == [
        f"s3://{shelf.name}/archive/{name}" for name in ("2024-12.jpg", "2024/a b #1 100%.jpg", "2024/ü.jpg")
    ]
    assert not list(archive.settings.cache_folder.rglob("*.jpg"))
    await archive.check_books()


async def test_an_archive_that_is_as_it_was_is_not_read_again(archive: Archive, shelf: Shelf) -> None:
    shelf.put("archive/a.jpg", jpeg(1))
    await archive.imported(f"s3://{shelf.name}/archive")
    seen = await archive.imported(f"s3://{shelf.name}/archive")
    assert (seen["skipped"], archive.converted) == (1, 1)
    shelf.put("archive/a.jpg", jpeg(2))
    await archive.imported(f"s3://{shelf.name}/archive")
    assert archive.converted == 2


async def test_a_photo_on_a_drive_and_in_a_bucket_is_one_photo(archive: Archive, shelf: Shelf) -> None:
    large = saved(scene(900, 600, 1), "PNG")  # its two ends are not all of it
    (archive.photos / "a.png").write_bytes(large)
    await archive.imported()
    await rate(archive, 5)
    shelf.put("archive/b.png", large)
    import_id = await archive.start(f"s3://{shelf.name}/archive")
    await archive.scanned(import_id)
    assert await archive.items(import_id) == {"b.png": ("skipped", "a copy of a.png")}
    assert archive.converted == 1
    assert (await archive.photo())["user_rating"] == 5


async def test_a_photo_that_moved_within_its_bucket_keeps_its_rating(archive: Archive, shelf: Shelf) -> None:
    shelf.put("archive/a.jpg", jpeg(1))
    shelf.put("archive/other.jpg", jpeg(2))
    await archive.imported(f"s3://{shelf.name}/archive")
    await archive.sql("UPDATE photos SET user_rating = 4 WHERE file_name = 'a.jpg'")
    shelf.rename("archive/a.jpg", "archive/2024/b.jpg")
    import_id = await archive.start(f"s3://{shelf.name}/archive")
    await archive.scanned(import_id)
    assert (await archive.items(import_id))["2024/b.jpg"] == ("skipped", "moved here from a.jpg")
    (photo,) = await archive.sql("SELECT file_name, file_path FROM photos WHERE user_rating = 4")
    assert photo == {"file_name": "b.jpg", "file_path": f"s3://{shelf.name}/archive/2024/b.jpg"}
    await archive.check_books()


async def test_a_raw_its_jpeg_and_its_sidecar_are_one_photo(archive: Archive, shelf: Shelf, tmp_path: Path) -> None:
    for file in a_pair(tmp_path / "camera"):
        shelf.put(f"archive/{file.name}", file.read_bytes())
    shelf.put("archive/DSC_0001.xmp", packet(4))
    seen = await archive.imported(f"s3://{shelf.name}/archive")
    assert (seen["done"], seen["failed"]) == (1, 0)
    photo = await archive.photo()
    assert (photo["file_name"], photo["source"], photo["user_rating"]) == ("DSC_0001.DNG", "companion", 4)
    assert await archive.files() == [("DSC_0001.DNG", "original", 1), ("DSC_0001.JPG", "companion", 1)]


async def test_a_photo_that_is_not_in_its_bucket_any_more_fails_alone(archive: Archive, shelf: Shelf) -> None:
    shelf.put("archive/a.jpg", jpeg(1))
    shelf.put("archive/b.jpg", jpeg(2))
    import_id = await archive.start(f"s3://{shelf.name}/archive")
    await archive.scanned(import_id)
    shelf.remove("archive/a.jpg")
    await archive.work()
    items = await archive.items(import_id)
    assert items == {"a.jpg": ("failed", "a.jpg is not there any more."), "b.jpg": ("done", None)}


async def test_a_parent_folder_of_an_imported_one_takes_it_in(archive: Archive, shelf: Shelf) -> None:
    shelf.put("archive/2024/a.jpg", jpeg(1))
    await archive.imported(f"s3://{shelf.name}/archive/2024")
    await archive.imported(f"s3://{shelf.name}/archive/")
    assert await archive.sql("SELECT convert_from(path, 'UTF8') AS path FROM roots") == [
        {"path": f"s3://{shelf.name}/archive"}
    ]


async def test_the_part_of_a_root_that_may_still_be_read_is_still_imported(archive: Archive, shelf: Shelf) -> None:
    shelf.put("archive/2023/a.jpg", jpeg(1))
    shelf.put("archive/2024/b.jpg", jpeg(2))
    await archive.imported(f"s3://{shelf.name}/archive")
    await archive.site.scanning.stop()
    shelf.put("archive/2024/c.jpg", jpeg(3))
    less = archive.settings.model_copy(update={"photo_libraries": f"s3://{shelf.name}/archive/2024"})
    async with open_site(less) as site:
        narrowed = Archive(site, archive.photos.parent)
        seen = await narrowed.imported(f"s3://{shelf.name}/archive/2024")
        assert (seen["done"], seen["skipped"], seen["failed"]) == (1, 1, 0)
        await narrowed.sql(
            "UPDATE imports SET scanned = false, cursor = NULL, state = 'scanning', folder = '' WHERE id = 1"
        )
        rows = await narrowed.until(lambda seen: seen[0]["error"], "SELECT error FROM imports WHERE id = 1")
        assert rows[0]["error"].startswith("Keepers may not read this place any more")


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("s3://{0}/other", "s3://{0}/other lies outside the photo folders. Keepers is set up to read only "),
        ("s3://{0}-2/archive", "s3://{0}-2/archive lies outside the photo folders."),
        ("s3://{0}/archive/../other", "'s3://{0}/archive/../other' is no address of a bucket. Write it as s3://bucket"),
        ("s3://name:password@{0}/archive", "An address has a name or a password in it."),
        ("s3://{0}/archive/empty", "There is nothing in s3://{0}/archive/empty."),
    ],
)
async def test_what_cannot_be_imported_is_refused(archive: Archive, shelf: Shelf, place: str, sentence: str) -> None:
    place, sentence = place.format(shelf.name), sentence.format(shelf.name)
    answer = await archive.site.client.post("/api/imports", json={"path": place})
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "folder_refused")
    assert answer.json()["error"]["message"].startswith(sentence)
    listing = (await archive.site.client.get("/api/folders", params={"path": place})).json()
    assert (listing["readable"], listing["refused"][: len(sentence)]) == (False, sentence)


@pytest.mark.timeout(240)
def test_a_photo_comes_from_a_bucket_to_the_browser(stack: Stack, shelf: Shelf, tmp_path: Path) -> None:
    named = settings_for(shelf.endpoint, claims_url="", photo_libraries=f"s3://{shelf.name}/archive")
    stack.environment |= {name.upper(): value for name, value in named.items()}
    shelf.put("archive/2024/a.jpg", a_jpeg(tmp_path / "a.jpg", seed=1, size=(2000, 1500)).read_bytes())
    stack.orchestrator()
    stack.workers("convert", "render")
    (chip,) = stack.client.get("/api/roots").json()["items"]
    seen = stack.settled(stack.start_import(chip["path"]))
    assert (seen["done"], seen["failed"]) == (1, 0)
    (photo,) = stack.photos_shown()
    assert stack.client.get(photo["preview_url"]).content[:2] == b"\xff\xd8"
    wish = {"ids": [photo["id"]], "size": "full"}
    larger = stack.wait(lambda: stack.client.post("/api/renditions", json=wish).json()["ready"], "all of its pixels")
    assert stack.client.get(larger[0]["url"]).content[:2] == b"\xff\xd8"
    assert not list((stack.home / "cache").rglob("*.jpg"))
    assert "never-to-be-shown" not in (tmp_path / "log.txt").read_text()
    stack.check_books()


async def test_nothing_is_written_into_a_bucket_and_each_refusal_says_so(archive: Archive, shelf: Shelf) -> None:
    shelf.put("archive/a.jpg", jpeg(1))
    await archive.imported(f"s3://{shelf.name}/archive")
    await archive.sql("UPDATE photos SET rejected_at = now()")
    label = f"s3://{shelf.name}/archive"
    for path, wish in (
        ("/api/roots/1/write-back", {"enabled": True}),
        ("/api/roots/1/watch", {"enabled": True}),
        ("/api/rejects/move", {"root": 1, "confirm_count": 1}),
    ):
        answer = await archive.site.client.post(path, json=wish)
        assert answer.status_code == 409, (path, answer.text)
        assert answer.json()["error"]["message"].startswith(f"{label} is a bucket, which ")
    watched = await archive.site.client.post("/api/imports", json={"path": label, "watch": True})
    assert (watched.status_code, "it is not watched" in watched.json()["error"]["message"]) == (422, True)
    (drive,) = (await archive.site.client.get("/api/free-space")).json()["drives"]
    assert drive["trouble"] == f"{label} is a bucket, which Keepers only reads, so nothing can be moved there."


async def test_the_full_size_of_a_jpeg_is_exported_out_of_its_bucket(
    archive: Archive, shelf: Shelf, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x013B] = "Ada"
    shelf.put("archive/a.jpg", saved(scene(3000, 2000), "JPEG", exif=exif))
    await archive.imported(f"s3://{shelf.name}/archive")
    await rate(archive, 5)
    (tmp_path / "export").mkdir()
    desk = ExportDesk(archive.site, tmp_path / "export")
    seen = await desk.export(full_size=True)
    assert (seen["state"], seen["exported"], seen["left"]) == ("done", 1, 0)
    (name,) = (name for name in desk.files if name.endswith(".jpg"))
    with Image.open(desk.target / name) as image:
        assert (image.size, image.getexif()[0x013B]) == ((3000, 2000), "Ada")


async def test_the_doctor_asks_the_buckets_that_are_named(archive: Archive, shelf: Shelf) -> None:
    patient = Patient(archive.settings)
    assert libraries(patient).sentence.startswith(f"There is nothing in s3://{shelf.name}/archive.")
    shelf.put("archive/a.jpg", jpeg(1))
    assert libraries(patient).state == "ok"
    assert libraries(patient).sentence.endswith(f"s3://{shelf.name}/archive.")


async def test_a_backfill_takes_the_photos_of_a_folder_of_a_bucket(archive: Archive, shelf: Shelf) -> None:
    for n, key in enumerate(("archive/2024/a.jpg", "archive/2024 b/b.jpg", "archive/2025/c.jpg")):
        shelf.put(key, jpeg(n))
    await archive.imported(f"s3://{shelf.name}/archive")
    for source, total in ((f"s3://{shelf.name}/archive/2024", 1), (f"s3://{shelf.name}", 3)):
        wish = {"kind": "quality", "where": ["all"], "source": source}
        seen = (await archive.site.client.post("/api/backfills", json=wish)).json()
        assert (seen["source"], seen["total"]) == (source, total)
        await archive.site.client.post(f"/api/backfills/{seen['id']}/cancel")
