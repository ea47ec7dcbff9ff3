"""Folders whose new files are imported as they come. The files are real, and so is what tells of them."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.tasks import end_tasks
from orchestrator.watching import follower
from orchestrator.watching.listening import Heard, SystemListener
from tests.archive import Archive, a_pair, with_new_metadata
from tests.pictures import dng, saved, scene
from tests.watched import a_jpeg, background, imports, until_files, until_known, watch, watched, watching


async def started(archive: Archive) -> None:
    """One photo is imported, and its folder is to be watched."""
    a_jpeg(archive.photos, "first.jpg", 0)
    await archive.imported()
    await watch(archive)


async def test_a_new_file_is_imported_when_it_has_settled(quick: Archive) -> None:
    await started(quick)
    async with watching(quick):
        path = quick.photos / "new.jpg"
        data = saved(scene(60, 40, 1), "JPEG")
        path.write_bytes(data[:100])
        path.write_bytes(data)
        await until_known(quick, "first.jpg", "new.jpg")
        await quick.work()
    newest, oldest = await imports(quick)
    assert (newest["is_watched"], newest["found"], newest["done"], newest["state"]) == (True, 1, 1, "done")
    assert (oldest["is_watched"], oldest["found"]) == (False, 1)
    seen = await watched(quick)
    assert (seen["path"], seen["import_id"], seen["state"]) == (str(quick.photos), newest["id"], "watching")
    assert seen["last_new_at"] is not None
    await quick.check_books()


async def test_a_card_full_of_photos_is_one_import(quick: Archive) -> None:
    await started(quick)
    async with watching(quick):
        for number in range(120):
            a_jpeg(quick.photos / "card" / f"{number % 3}", f"{number}.jpg", number + 1)
        await until_files(quick, lambda known: len(known) == 121)
        await quick.work()
    newest, _ = await imports(quick)
    assert (newest["found"], newest["done"], newest["state"]) == (120, 120, "done")


async def test_files_that_come_later_join_the_same_import(quick: Archive) -> None:
    await started(quick)
    async with watching(quick):
        for number in range(1, 4):
            a_jpeg(quick.photos, f"{number}.jpg", number)
            await until_files(quick, lambda known, n=number: len(known) == n + 1)
            await quick.work()
        newest, _ = await imports(quick)
        assert (newest["found"], newest["done"], newest["state"]) == (3, 3, "done")
        await quick.sql("UPDATE watches SET last_new_at = last_new_at - interval '31 minutes'")
        a_jpeg(quick.photos, "much later.jpg", 9)
        await until_files(quick, lambda known: len(known) == 5)
    assert [found["found"] for found in await imports(quick)] == [1, 3, 1]


async def test_what_came_while_nobody_watched_is_found_and_the_rest_is_left_alone(quick: Archive) -> None:
    a_pair(quick.photos)
    await started(quick)
    async with watching(quick):
        pass
    assert len(await imports(quick)) == 1
    a_jpeg(quick.photos / "deep" / "er", "new.jpg", 1)
    rows = "SELECT xmin::text FROM photo_files WHERE path = 'first.jpg'"
    before = await quick.sql(rows)
    async with watching(quick):
        await until_known(quick, "DSC_0001.DNG", "DSC_0001.JPG", "deep/er/new.jpg", "first.jpg")
    assert (await quick.sql(rows), [one["found"] for one in await imports(quick)]) == (before, [1, 2])


async def test_a_raw_and_its_jpeg_are_one_photo_whichever_comes_first(quick: Archive) -> None:
    await started(quick)
    async with watching(quick):
        for stem, parts in (("a", (".DNG", ".JPG")), ("b", (".JPG", ".DNG"))):
            seed = ord(stem)
            data = {".DNG": dng(scene(90, 60, seed)), ".JPG": saved(scene(90, 60, seed), "JPEG")}
            for part in parts:
                (quick.photos / f"{stem}{part}").write_bytes(data[part])
                await until_files(quick, lambda known, name=f"{stem}{part}": name in known)
                await quick.work()
    roles = {name: (role, photo) for name, role, photo in await quick.files()}
    for stem in "ab":
        (raw, photo), (jpeg, same) = roles[f"{stem}.DNG"], roles[f"{stem}.JPG"]
        assert (raw, jpeg, photo) == ("original", "companion", same)


async def test_names_of_unfinished_files_and_other_kinds_are_passed_over(quick: Archive) -> None:
    await started(quick)
    async with watching(quick):
        data = saved(scene(60, 40, 1), "JPEG")
        for name in ("a.jpg.part", "b.jpg.crdownload", "._c.jpg", ".d.jpg", "e.mov", "f.tmp"):
            (quick.photos / name).write_bytes(data)
        hidden = quick.photos / ".hidden"
        hidden.mkdir()
        (hidden / "g.jpg").write_bytes(data)
        (quick.photos / "f.tmp").rename(quick.photos / "f.jpg")
        await until_known(quick, "f.jpg", "first.jpg")
        a_jpeg(quick.photos, os.fsdecode(b"caf\xe9.jpg"), 2)  # no text, and a photo all the same
        await quick.until(len, "SELECT 1 FROM photo_files WHERE path = :path", path=b"caf\xe9.jpg")


async def test_links_lead_nowhere_and_a_loop_ends(quick: Archive, tmp_path: Path) -> None:
    await started(quick)
    a_jpeg(tmp_path / "elsewhere", "far.jpg", 5)
    (quick.photos / "loop").symlink_to(quick.photos)
    (quick.photos / "away").symlink_to(tmp_path / "elsewhere")
    async with watching(quick):
        a_jpeg(tmp_path / "elsewhere", "farther.jpg", 6)
        a_jpeg(quick.photos / "loop" / "loop", "near.jpg", 7)
        await until_known(quick, "first.jpg", "near.jpg")


async def test_a_folder_that_is_moved_in_brings_its_photos(quick: Archive, tmp_path: Path) -> None:
    await started(quick)
    a_jpeg(tmp_path / "card" / "day", "a.jpg", 1)
    async with watching(quick):
        (tmp_path / "card").rename(quick.photos / "card")
        await until_known(quick, "card/day/a.jpg", "first.jpg")
        await quick.work()
        (quick.photos / "card").rename(quick.photos / "renamed")
        await until_known(quick, "first.jpg", "renamed/day/a.jpg")
    assert len(await quick.sql("SELECT 1 FROM photos")) == 2


async def test_a_file_rewritten_while_it_is_imported_is_read_again(quick: Archive) -> None:
    await started(quick)
    async with watching(quick):
        path = a_jpeg(quick.photos, "new.jpg", 1)
        await until_known(quick, "first.jpg", "new.jpg")
        (before,) = await quick.queued()
        path.write_bytes(saved(scene(80, 40, 2), "JPEG"))
        rows = await quick.until(
            len, "SELECT run_id FROM stage_runs WHERE stage = 'convert' AND state = 'queued' AND run_id <> :old",
            old=before.run_id,
        )  # fmt: skip
        assert len(rows) == 1
        await quick.work()
    (photo,) = await quick.sql("SELECT width FROM photos WHERE file_name = 'new.jpg'")
    newest, _ = await imports(quick)
    assert (photo["width"], newest["found"], newest["done"]) == (80, 1, 1)


async def test_a_file_changed_after_it_was_imported_is_the_same_photo_read_again(quick: Archive) -> None:
    await started(quick)
    async with watching(quick):
        path = a_jpeg(quick.photos, "new.jpg", 1)
        await until_known(quick, "first.jpg", "new.jpg")
        await quick.work()
        path.write_bytes(saved(scene(80, 40, 2), "JPEG"))
        await quick.until(len, "SELECT 1 FROM stage_runs WHERE stage = 'convert' AND state = 'queued'")
        newest, _ = await imports(quick)
        assert (newest["found"], newest["pending"], newest["state"]) == (1, 1, "running")
        await quick.work()
    newest, _ = await imports(quick)
    assert (newest["done"], newest["state"], len(await quick.sql("SELECT 1 FROM photos"))) == (1, "done", 2)
    await quick.check_books()


async def test_a_photo_that_was_turned_down_does_not_come_back(quick: Archive) -> None:
    await started(quick)
    await quick.sql("UPDATE photos SET rejected_at = now()")
    async with watching(quick):
        (quick.photos / "again.jpg").write_bytes((quick.photos / "first.jpg").read_bytes())
        await quick.until(len, "SELECT 1 FROM import_items WHERE path = 'again.jpg' AND state = 'skipped'")
        before = await watched(quick)
        for name in ("first.jpg", "again.jpg"):
            with_new_metadata(quick.photos / name, "somebody")
        await quick.sql("UPDATE watches SET state = 'starting'")
    async with watching(quick):
        assert await watched(quick) == before
    assert len(await quick.sql("SELECT 1 FROM photos")) == 1


async def test_a_drive_that_goes_and_comes_back_is_watched_again(quick: Archive, tmp_path: Path) -> None:
    await started(quick)
    async with watching(quick):
        quick.photos.rename(tmp_path / "unplugged")
        await quick.until(lambda rows: rows[0]["state"] == "waiting", "SELECT state FROM watches")
        assert (
            "not there any more" in (await watched(quick))["problem"]
            or "There is no folder" in (await watched(quick))["problem"]
        )
        a_jpeg(tmp_path / "unplugged", "new.jpg", 1)
        (tmp_path / "unplugged").rename(quick.photos)
        await until_known(quick, "first.jpg", "new.jpg")
        a_jpeg(quick.photos, "newer.jpg", 2)
        await until_known(quick, "first.jpg", "new.jpg", "newer.jpg")
        assert (await watched(quick))["problem"] is None


async def test_another_drive_at_the_same_place_is_not_imported(quick: Archive, tmp_path: Path) -> None:
    await started(quick)
    await quick.sql("UPDATE roots SET identity = 'another drive'")
    quick.photos.rename(tmp_path / "unplugged")
    a_jpeg(quick.photos, "stranger.jpg", 1)
    async with watching(quick, state="waiting"):
        assert "Another drive is connected" in (await watched(quick))["problem"]
    assert [name for name, _, _ in await quick.files()] == ["first.jpg"]


async def test_a_folder_that_cannot_be_heard_is_looked_at_and_the_page_says_what_to_type(quick: Archive) -> None:
    class Deaf:
        def __init__(self, folder: Path, heard: Heard, failed: object) -> None:
            assert callable(failed)
            failed(OSError("OS file watch limit reached."))

        def stop(self) -> None:
            pass

    await started(quick)
    async with watching(quick, "polling", Deaf):
        assert "sudo sysctl fs.inotify.max_user_watches=" in (await watched(quick))["problem"]
        a_jpeg(quick.photos, "new.jpg", 1)
        await until_known(quick, "first.jpg", "new.jpg")


async def test_a_folder_whose_name_is_not_text_is_looked_at_and_the_page_names_it(
    quick: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "LISTEN_AGAIN_SECONDS", 0.2)
    await started(quick)
    odd = Path(os.fsdecode(os.path.join(os.fsencode(quick.photos), b"caf\xe9")))
    odd.mkdir()
    async with watching(quick, "polling"):
        await quick.until(lambda rows: rows[0]["problem"] is not None, "SELECT problem FROM watches")
        assert f"{quick.photos}/caf\\xE9. To be told at once, rename it" in (await watched(quick))["problem"]
        a_jpeg(odd, "new.jpg", 1)
        await quick.until(lambda rows: len(rows) == 2, "SELECT 1 FROM photo_files")


async def test_the_person_may_wish_that_a_folder_is_only_looked_at(quick: Archive) -> None:
    await started(quick)
    (seen,) = await watch(quick, polled=True)
    assert seen["is_polled"] is True
    async with watching(quick, "polling"):
        a_jpeg(quick.photos / "day", "new.jpg", 1)
        await until_known(quick, "day/new.jpg", "first.jpg")
        assert (await watched(quick))["problem"] is None


async def test_one_orchestrator_watches_and_another_takes_over(quick: Archive) -> None:
    begun: list[Path] = []

    class Second(SystemListener):
        def __init__(self, folder: Path, heard: Heard, failed: Callable[[Exception], None]) -> None:
            begun.append(folder)
            super().__init__(folder, heard, failed)

    await started(quick)
    async with watching(quick):
        second = asyncio.create_task(background(quick, Second).run())
        a_jpeg(quick.photos, "new.jpg", 1)
        await until_known(quick, "first.jpg", "new.jpg")
        assert begun == []
    a_jpeg(quick.photos, "newer.jpg", 2)
    await until_known(quick, "first.jpg", "new.jpg", "newer.jpg")
    assert begun == [quick.photos]
    await end_tasks([second])


async def test_switched_off_nothing_comes_in(quick: Archive) -> None:
    await started(quick)
    async with watching(quick):
        assert await watch(quick, enabled=False) == []
        assert (await quick.site.client.get("/api/watches")).json()["items"] == []
    a_jpeg(quick.photos, "new.jpg", 1)
    await watch(quick)
    async with watching(quick):
        await until_known(quick, "first.jpg", "new.jpg")


async def test_an_import_can_go_on_with_what_comes_later(quick: Archive) -> None:
    a_jpeg(quick.photos / "in", "first.jpg", 0)
    a_jpeg(quick.photos / "out", "second.jpg", 1)
    await quick.imported()
    await quick.imported(quick.photos / "in", watch=True)
    async with watching(quick):
        a_jpeg(quick.photos / "in", "new.jpg", 2)
        await until_known(quick, "in/first.jpg", "in/new.jpg", "out/second.jpg")
        assert (await watched(quick))["path"] == str(quick.photos / "in")
    await watch(quick)
    assert (await watched(quick))["path"] == str(quick.photos)
    refused = await quick.site.client.post("/api/imports", json={"path": str(quick.photos), "watch": True, "sample": 3})
    assert refused.status_code == 422


async def test_a_watch_goes_along_when_its_root_becomes_part_of_a_larger_one(quick: Archive) -> None:
    a_jpeg(quick.photos / "in", "first.jpg", 0)
    await quick.imported(quick.photos / "in", watch=True)
    await quick.imported()
    async with watching(quick):
        a_jpeg(quick.photos / "in" / "day", "new.jpg", 2)
        await until_known(quick, "in/day/new.jpg", "in/first.jpg")
    assert (await watched(quick))["path"] == str(quick.photos / "in")


async def test_pausing_the_import_holds_what_comes_and_cancelling_begins_another(quick: Archive) -> None:
    await started(quick)
    async with watching(quick):
        a_jpeg(quick.photos, "a.jpg", 1)
        await until_known(quick, "a.jpg", "first.jpg")
        first = (await imports(quick))[0]["id"]
        await quick.site.client.post(f"/api/imports/{first}/pause")
        a_jpeg(quick.photos, "b.jpg", 2)
        await until_known(quick, "a.jpg", "b.jpg", "first.jpg")
        paused = (await imports(quick))[0]
        assert (paused["id"], paused["state"], paused["pending"]) == (first, "paused", 2)
        await quick.site.client.post(f"/api/imports/{first}/cancel")
        a_jpeg(quick.photos, "c.jpg", 3)
        await until_known(quick, "c.jpg", "first.jpg")
        assert [one["state"] for one in await imports(quick)][:2] == ["running", "cancelled"]
