"""The originals of rejected photos are set aside on their drive, and brought back."""

import io
import os
from pathlib import Path
from uuid import UUID

import pytest

from orchestrator.answers import Refused
from orchestrator.rejects.command import Options, rejects
from tests.archive import Archive
from tests.pictures import dng, saved, scene
from tests.ratings_in_files import a_sidecar
from tests.rejected import Drive, written


@pytest.fixture
def drive(archive: Archive) -> Drive:
    return Drive(archive)


def a_photo(drive: Drive, name: str, seed: int = 1) -> Path:
    picture = scene(90, 60, seed)
    return written(drive.archive.photos / name, dng(picture) if name.endswith(".dng") else saved(picture, "JPEG"))


async def rejected(drive: Drive, *names: str) -> None:
    await drive.archive.imported()
    await drive.reject(*names)


async def test_a_photo_goes_with_its_companion_and_sidecars_and_comes_back_as_it_was(drive: Drive) -> None:
    a_photo(drive, "2019/may/a.dng")
    a_photo(drive, "2019/may/a.jpg", 2)
    a_sidecar(drive.archive, "2019/may/a.xmp", 2)
    a_sidecar(drive.archive, "2019/may/a.dng.xmp", 2)
    written(drive.archive.photos / "2019/may/a.dng.pp3", b"[Version]")
    written(drive.archive.photos / "2019/may/a.dop", b"Sidecar = {}")
    a_photo(drive, "2019/may/b.jpg", 3)
    await rejected(drive, "a.dng")
    before, stats = drive.files, {name: (drive.archive.photos / name).stat() for name in drive.files}
    seen = await drive.seen()
    assert (seen["rejected"]["photos"], seen["kept"]["photos"], seen["set_aside"]["photos"]) == (1, 1, 0)
    batch = await drive.move(1)
    assert (batch["state"], batch["done"], batch["files"], batch["left"]) == ("done", 1, 6, 0)
    gone = [name for name in before if name != "2019/may/b.jpg"]
    assert drive.files == sorted(["2019/may/b.jpg", *(f"_keepers_rejected/{name}" for name in gone)])
    for name in gone:
        moved = (drive.archive.photos / "_keepers_rejected" / name).stat()
        assert (moved.st_ino, moved.st_mtime_ns) == (stats[name].st_ino, stats[name].st_mtime_ns)  # renamed, not copied
    seen = await drive.seen()
    assert (seen["rejected"]["photos"], seen["set_aside"]["photos"], seen["set_aside"]["missing"]) == (0, 1, 0)
    assert seen["set_aside"]["bytes"] == sum(stats[name].st_size for name in gone)
    batch = await drive.restore()
    assert (batch["state"], batch["files"], batch["left"]) == ("done", 6, 0)
    assert drive.files == before
    assert not (drive.archive.photos / "_keepers_rejected").exists()
    assert await drive.known() == ["2019/may/a.dng", "2019/may/a.jpg", "2019/may/b.jpg"]


async def test_what_is_set_aside_is_not_missing_not_new_and_never_imported(drive: Drive) -> None:
    a_photo(drive, "a.jpg")
    a_photo(drive, "b.jpg", 2)
    await rejected(drive, "a.jpg")
    await drive.move(1)
    again = await drive.archive.imported()
    assert (again["found"], again["skipped"], again["left_alone"]) == (1, 1, {})
    assert len(await drive.archive.sql("SELECT 1 FROM photos")) == 2
    aside = drive.archive.photos / "_keepers_rejected"
    refused = await drive.client.post("/api/imports", json={"path": str(aside)})
    assert refused.status_code == 422
    assert "originals that were set aside" in refused.json()["error"]["message"]
    listed = (await drive.client.get("/api/folders", params={"path": str(drive.archive.photos)})).json()
    assert listed["folders"] == []
    (photo,) = (await drive.client.get("/api/photos", params={"filter": "rejected"})).json()["items"]
    assert (photo["set_aside"], photo["thumbnail_url"] is not None, photo["stages"]["convert"]) == (True, True, "done")
    shown = (await drive.client.get(f"/api/photos/{photo['id']}")).json()
    assert shown["files"][0]["path"] == str(aside / "a.jpg") == shown["file_path"]


async def test_a_sidecar_shared_with_a_photo_that_stays_stays(drive: Drive) -> None:
    a_photo(drive, "a.dng")
    written(drive.archive.photos / "a.tif", saved(scene(90, 60, 5), "TIFF"))
    a_sidecar(drive.archive, "a.xmp", 3)
    a_sidecar(drive.archive, "a.dng.xmp", 3)
    await rejected(drive, "a.dng")
    shared = drive.archive.photos / "a.xmp"
    read = shared.stat()
    os.utime(shared)
    batch = await drive.move(1)  # it may say by now that the photo is a good one
    said = [one["message"] for one in batch["not_moved"]]
    assert said == ["a.xmp was written since Keepers read it: import its folder, and look again."]
    os.utime(shared, ns=(read.st_atime_ns, read.st_mtime_ns))
    await drive.move(1)
    assert drive.files == ["_keepers_rejected/a.dng", "_keepers_rejected/a.dng.xmp", "a.tif", "a.xmp"]
    await drive.reject("a.tif")  # now nothing needs it any more
    await drive.move(1)
    assert [name for name in drive.files if not name.startswith("_keepers_rejected/")] == []
    await drive.restore()
    assert drive.files == ["a.dng", "a.dng.xmp", "a.tif", "a.xmp"]
    await drive.move(2)
    (drive.archive.photos / "_keepers_rejected" / "a.dng").unlink()
    batch = await drive.restore()
    assert (batch["state"], batch["files"], batch["left"]) == ("done", 3, 1)
    assert drive.files == ["a.dng.xmp", "a.tif", "a.xmp"]


async def test_only_what_is_rejected_when_it_is_written_down_is_moved(drive: Drive) -> None:
    for n, name in enumerate(("kept.jpg", "unrated.jpg", "rejected.jpg", "removed.jpg")):
        a_photo(drive, name, n)
    await rejected(drive, "rejected.jpg", "removed.jpg")
    await drive.reject("kept.jpg", action="keep")
    (removed,) = await drive.archive.sql("SELECT id FROM photos WHERE file_name = 'removed.jpg'")
    await drive.client.post("/api/removals", json={"ids": [removed["id"]]})
    root = await drive.root_id()
    refused = await drive.client.post("/api/rejects/move", json={"root": root, "confirm_count": 2})
    assert (refused.status_code, refused.json()["error"]["type"]) == (409, "other_count")
    assert "has 1 rejected photo to be set aside by now, not 2." in refused.json()["error"]["message"]
    await drive.move(1)
    assert drive.files == ["_keepers_rejected/rejected.jpg", "kept.jpg", "removed.jpg", "unrated.jpg"]


async def test_a_file_that_changed_since_it_was_read_is_not_moved(drive: Drive) -> None:
    changed, touched, moved = (a_photo(drive, name, n) for n, name in enumerate(("a.jpg", "b.jpg", "c.jpg")))
    noted = a_photo(drive, "d.jpg", 7)
    await rejected(drive, "a.jpg", "b.jpg", "c.jpg", "d.jpg")
    stat = changed.stat()
    changed.write_bytes(b"\xff\xd8" + b"x" * (stat.st_size - 2))  # same size, same time
    os.utime(changed, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    os.utime(touched)  # same content
    a_sidecar(drive.archive, noted.with_suffix(".xmp").name, 5)  # a good one after all?
    batch = await drive.move(4)
    assert (batch["state"], batch["done"], batch["left"]) == ("done", 4, 2)
    said = sorted(one["message"] for one in batch["not_moved"])
    assert said[0].startswith("a.jpg stays: it was changed since Keepers read it.")
    assert said[1] == "d.xmp was written since Keepers read it: import its folder, and look again."
    assert drive.files == ["_keepers_rejected/b.jpg", "_keepers_rejected/c.jpg", "a.jpg", "d.jpg", "d.xmp"]
    assert not moved.exists()


async def test_no_name_is_ever_taken_from_another_file(drive: Drive) -> None:
    a_photo(drive, "a.dng")
    a_sidecar(drive.archive, "a.xmp", 1)
    strange = written(drive.archive.photos / "_keepers_rejected" / "a.xmp", b"somebody's")
    await rejected(drive, "a.dng")
    await drive.move(1)
    assert drive.files == ["_keepers_rejected/a (2).dng", "_keepers_rejected/a (2).xmp", "_keepers_rejected/a.xmp"]
    another = written(drive.archive.photos / "a.xmp", b"another's")
    batch = await drive.restore()
    assert (batch["done"], batch["files"], batch["left"]) == (1, 0, 1)
    assert batch["not_moved"][0]["message"].startswith("a.xmp is there already")
    assert (another.read_bytes(), strange.read_bytes()) == (b"another's", b"somebody's")
    another.unlink()
    await drive.restore()
    assert drive.files == ["_keepers_rejected/a.xmp", "a.dng", "a.xmp"]


async def test_links_are_left_alone(drive: Drive, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    original = a_photo(drive, "inside/a.jpg")
    linked = a_photo(drive, "b.jpg", 2)
    a_photo(drive, "c.jpg", 3)
    await rejected(drive, "a.jpg", "b.jpg", "c.jpg")
    original.parent.rename(elsewhere)
    (drive.archive.photos / "inside").symlink_to(elsewhere)
    linked.rename(tmp_path / "b.jpg")
    linked.symlink_to(tmp_path / "b.jpg")
    (drive.archive.photos / "_keepers_rejected").symlink_to(tmp_path)
    batch = await drive.move(3)
    assert (batch["state"], batch["left"], batch["files"]) == ("done", 3, 0)
    said = sorted(one["message"] for one in batch["not_moved"])
    assert said == [
        "_keepers_rejected/c.jpg lies in a folder that is a link to another place, or none any more.",
        "b.jpg is a link to another file.",
        "inside/a.jpg lies in a folder that is a link to another place, or none any more.",
    ]
    assert (elsewhere / "a.jpg").exists()


async def test_restoring_a_photo_says_that_its_original_is_aside_and_brings_it_back(drive: Drive) -> None:
    a_photo(drive, "a.jpg")
    a_photo(drive, "b.jpg", 2)
    await rejected(drive, "a.jpg", "b.jpg")
    first = await drive.move(2)
    photo = (await drive.archive.sql("SELECT id FROM photos WHERE file_name = 'a.jpg'"))[0]["id"]
    restored = (await drive.client.post(f"/api/photos/{photo}/restore")).json()["items"][0]
    assert (restored["rejected"], restored["set_aside"]) == (False, True)
    assert (await drive.seen())["set_aside"]["restored"] == 1
    root = await drive.root_id()
    await drive.restore(root=root, only_restored=True)
    assert drive.files == ["_keepers_rejected/b.jpg", "a.jpg"]
    nothing = await drive.client.post("/api/rejects/restore", json={"photo_ids": [photo]})
    assert (nothing.status_code, nothing.json()["error"]["type"]) == (409, "nothing_aside")
    await drive.restore(batch=first["id"])
    assert drive.files == ["a.jpg", "b.jpg"]
    assert (await drive.client.post("/api/rejects/restore", json={})).status_code == 422


async def test_what_somebody_removed_or_brought_back_by_hand_is_seen(drive: Drive) -> None:
    a_photo(drive, "a.jpg")
    a_photo(drive, "b.jpg", 2)
    a_photo(drive, "c.jpg", 3)
    await rejected(drive, "a.jpg", "b.jpg", "c.jpg")
    await drive.move(3)
    aside = drive.archive.photos / "_keepers_rejected"
    (aside / "a.jpg").unlink()
    (aside / "b.jpg").rename(drive.archive.photos / "b.jpg")
    assert (await drive.seen())["set_aside"]["missing"] == 2
    batch = await drive.restore()
    assert [one["message"] for one in batch["not_moved"]] == ["_keepers_rejected/a.jpg is not there any more."]
    assert drive.files == ["b.jpg", "c.jpg"]
    assert await drive.known() == ["_keepers_rejected/a.jpg", "b.jpg", "c.jpg"]


async def test_a_sidecar_that_was_made_aside_comes_back_too(drive: Drive) -> None:
    a_photo(drive, "2020/a.dng")
    await rejected(drive, "a.dng")
    await drive.move(1)
    written(drive.archive.photos / "_keepers_rejected/2020/a.xmp", b"made later")
    await drive.restore()
    assert drive.files == ["2020/a.dng", "2020/a.xmp"]


async def test_a_drive_that_is_away_and_one_that_nobody_knows_are_refused(drive: Drive) -> None:
    a_photo(drive, "a.jpg")
    await rejected(drive, "a.jpg")
    root = await drive.root_id()
    away = drive.archive.photos.rename(drive.archive.photos.with_name("away"))
    wish = {"root": root, "confirm_count": 1}
    refused = await drive.client.post("/api/rejects/move", json=wish)
    assert (refused.status_code, refused.json()["error"]["type"]) == (409, "root_offline")
    assert "is not connected, so nothing can be moved there" in (await drive.seen())["trouble"]
    away.rename(drive.archive.photos)
    assert (await drive.client.post("/api/rejects/move", json={**wish, "root": 99})).status_code == 404


async def test_the_command_lists_asks_for_the_number_and_brings_back(
    drive: Drive, capsys: pytest.CaptureFixture[str]
) -> None:
    for n, name in enumerate(("a.jpg", "b.jpg", "c.jpg")):
        a_photo(drive, name, n)
    await rejected(drive, "a.jpg", "b.jpg")
    gone = drive.archive.photos / "b.jpg"
    kept = gone.rename(gone.with_name("renamed.jpg"))
    url, root, out = drive.archive.settings.database_url, str(drive.archive.photos), io.StringIO()
    assert url is not None
    assert await rejects(url, Options("list"), out) == 0
    assert "2 photos rejected" in out.getvalue()
    with pytest.raises(Refused, match="another number"):
        await rejects(url, Options("move", root), out, lambda question: "3")
    with pytest.raises(Refused, match="has 2 rejected photos"):
        await rejects(url, Options("move", root, confirm=3), out)
    with pytest.raises(Refused, match="--root"):
        await rejects(url, Options("move"), out)
    assert await rejects(url, Options("move", root), out, lambda question: "2") == 1
    assert "1 file set aside" in out.getvalue()
    assert "b.jpg is not there any more: import its folder again." in capsys.readouterr().err
    assert drive.files == ["_keepers_rejected/a.jpg", "c.jpg", kept.name]
    batch = UUID((await drive.client.get("/api/free-space")).json()["batches"][0]["id"])
    assert await rejects(url, Options("restore", batch=batch), out) == 0
    assert drive.files == ["a.jpg", "c.jpg", kept.name]
    with pytest.raises(Refused, match="Nothing of that"):
        await rejects(url, Options("restore", root), out)
