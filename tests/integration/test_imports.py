"""What an import takes, counts and says: samples, refusals, pause and cancel, interruptions."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from orchestrator.imports import scan
from orchestrator.imports.scan import Scanner
from shared.claims import claim_of
from shared.settings import Settings
from tests.archive import Archive
from tests.site import open_site
from tests.stack import a_jpeg


def some_jpegs(folder: Path, count: int, first: int = 0) -> None:
    for i in range(first, first + count):
        a_jpeg(folder / f"{i:03}.jpg", seed=i, size=(64, 48))


async def refused(archive: Archive, body: dict[str, Any]) -> tuple[int, str]:
    as_json = {"content": json.dumps(body), "headers": {"content-type": "application/json"}}
    answer = await archive.site.client.post("/api/imports", **as_json)
    return answer.status_code, answer.json()["error"]["message"]


async def act(archive: Archive, import_id: int, action: str) -> dict[str, Any]:
    answer = await archive.site.client.post(f"/api/imports/{import_id}/{action}")
    assert answer.status_code == 200, answer.text
    seen: dict[str, Any] = answer.json()
    return seen


async def test_a_folder_that_cannot_be_imported_is_refused_with_the_reason(archive: Archive, tmp_path: Path) -> None:
    file, empty = a_jpeg(tmp_path / "a.jpg", seed=1), tmp_path / "empty"
    empty.mkdir()
    for path, sentence in {
        f"{tmp_path}/nowhere": f"There is no folder {tmp_path}/nowhere.",
        str(file): f"{file} is a file, not a folder.",
        str(empty): f"There is nothing in {empty}. If it is a drive, is it connected?",
        "photos": "Name a folder by its whole path, beginning with /.",
        "": "Name a folder by its whole path, beginning with /.",
        "~nobody-of-this-name/photos": "Name a folder by its whole path, beginning with /.",
        "/a\0b": "Name a folder by its whole path, beginning with /.",
        "/a\ud800b": "Name a folder by its whole path, beginning with /.",
        "/etc": "/etc belongs to the system, not to your photos.",
        "/": "The whole machine is not an archive: choose a folder inside it.",
        str(archive.settings.keepers_home): f"{archive.settings.keepers_home} is where Keepers keeps its own data.",
        f"{tmp_path}/{'x' * 300}": f"{tmp_path}/{'x' * 300} cannot be read: File name too long.",
    }.items():
        assert await refused(archive, {"path": path}) == (422, sentence)
    assert await archive.sql("SELECT 1 FROM imports") == []


async def test_a_folder_outside_the_roots_is_refused(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    a_jpeg(tmp_path / "private" / "a.jpg", seed=1)
    (tmp_path / "library" / "link").symlink_to(tmp_path / "private")
    settings = Settings(
        keepers_home=tmp_path / "home", database_url=database_url, photo_library=str(tmp_path / "library")
    )
    async with open_site(settings) as site:
        for path in (tmp_path / "private", tmp_path / "library" / ".." / "private", tmp_path / "library" / "link"):
            answer = await site.client.post("/api/imports", json={"path": str(path)})
            assert answer.status_code == 422
            assert answer.json()["error"]["message"] == (
                f"{path} lies outside the photo folders. Keepers is set up to read only {tmp_path}/library."
            )


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({"sample": 0}, "sample: input should be greater than or equal to 1."),
        ({"sample": -3}, "sample: input should be greater than or equal to 1."),
        ({"sample": "many"}, "sample: input should be a valid integer, unable to parse string as an integer."),
        ({"path": None}, "the request: name the folder to import by its path, or by its claim."),
    ],
)
async def test_a_wish_that_makes_no_sense_is_refused(archive: Archive, wish: dict[str, Any], sentence: str) -> None:
    some_jpegs(archive.photos, 1)
    assert await refused(archive, {"path": str(archive.photos), **wish}) == (422, sentence)


async def test_an_unknown_import_is_not_found(archive: Archive) -> None:
    for number in ("7", "9223372036854775807"):
        for answer in (
            await archive.site.client.get(f"/api/imports/{number}"),
            await archive.site.client.post(f"/api/imports/{number}/cancel"),
        ):
            assert answer.status_code == 404
            assert answer.json()["error"]["message"] == "There is no import with this number."
    assert (await archive.site.client.get("/api/imports/99999999999999999999")).status_code == 422


async def test_a_sample_counts_only_new_photos(archive: Archive) -> None:
    some_jpegs(archive.photos / "known", 5)
    await archive.imported(archive.photos / "known")
    some_jpegs(archive.photos / "new", 10, first=100)
    for i in range(3):  # known photos under new names, and new ones twice
        (archive.photos / "new" / f"copy-{i}.jpg").write_bytes((archive.photos / "known" / f"00{i}.jpg").read_bytes())
        (archive.photos / "new" / f"twin-{i}.jpg").write_bytes((archive.photos / "new" / f"10{i}.jpg").read_bytes())
    seen = await archive.imported(sample=3)
    assert (seen["found"], seen["done"], seen["skipped"]) == (3, 3, 0)
    assert len(await archive.sql("SELECT 1 FROM photos")) == 8
    for _ in range(2):
        await archive.imported(sample=3)
    assert len(await archive.sql("SELECT 1 FROM photos")) == 14
    assert (await archive.imported(sample=3))["found"] == 1
    assert (await archive.imported(sample=3))["found"] == 0
    await archive.check_books()


async def test_a_sample_larger_than_the_folder_is_all_of_it(archive: Archive) -> None:
    some_jpegs(archive.photos, 4)
    seen = await archive.imported(sample=1000)
    assert (seen["found"], seen["done"], seen["sample"]) == (4, 4, 1000)


async def test_a_sample_is_drawn_uniformly(archive: Archive) -> None:
    """Forty draws of 4 from 20: every photo is drawn 8 times on average, and hardly one never."""
    some_jpegs(archive.photos, 20)
    drawn: dict[str, int] = {}
    for _ in range(40):
        import_id = await archive.start(sample=4)
        await archive.scanned(import_id)
        for path in await archive.items(import_id):
            drawn[path] = drawn.get(path, 0) + 1
        await act(archive, import_id, "cancel")
    assert sum(drawn.values()) == 160
    assert len(drawn) == 20
    assert sum((n - 8) ** 2 / 8 for n in drawn.values()) < 43.8  # chi squared, 19 degrees: 0.1 % are above


async def test_an_interrupted_sample_draws_what_is_missing(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "CHUNK", 2)
    some_jpegs(archive.photos, 12)
    import_id = await archive.start(sample=7)
    await archive.until(lambda rows: len(rows) >= 2, "SELECT 1 FROM import_items")
    await archive.site.scanning.stop()
    archive.site.scanning.take_up()
    seen = await archive.scanned(import_id)
    assert seen["found"] == 7


async def test_what_is_left_alone_is_counted_by_kind(archive: Archive) -> None:
    some_jpegs(archive.photos, 1)
    for name in ("a.mov", "b.MOV", "inner/c.mov", "d.psd", ".e.psd"):
        (archive.photos / name).parent.mkdir(exist_ok=True)
        (archive.photos / name).write_bytes(b"x")
    assert (await archive.imported())["left_alone"] == {"mov": 3, "psd": 1}


async def test_hostile_names_are_imported_and_shown(archive: Archive) -> None:
    names = [b"not utf-8 \xff.jpg", b"new\nline.jpg", b"#?%25 .jpg", "\u202egpj.jpg".encode(), b'<b>&".jpg']
    for i, name in enumerate(names):
        a_jpeg(archive.photos / os.fsdecode(b"in \xfe") / os.fsdecode(name), seed=i)
    folder = archive.photos / os.fsdecode(b"in \xfe")
    answer = await archive.site.client.post("/api/imports", json={"claim": claim_of(folder)})
    assert answer.status_code == 202
    await archive.scanned(answer.json()["id"])
    await archive.work()
    seen = await archive.progress(answer.json()["id"])
    assert (seen["done"], seen["failed"]) == (5, 0)
    shown = (await archive.site.client.get("/api/photos")).json()["items"]
    assert {photo["file_name"] for photo in shown} == {name.decode(errors="replace") for name in names}
    for photo in shown:
        assert (await archive.site.client.get(f"/photos/{photo['id']}/preview.jpg")).status_code == 200
    assert (await archive.imported())["skipped"] == 5


async def test_a_file_that_vanishes_fails_alone(archive: Archive) -> None:
    some_jpegs(archive.photos, 4)
    import_id = await archive.start()
    await archive.scanned(import_id)
    (archive.photos / "002.jpg").unlink()
    await archive.work()
    seen = await archive.progress(import_id)
    assert (seen["state"], seen["done"], seen["failed"]) == ("done", 3, 1)
    assert (await archive.items(import_id))["002.jpg"] == ("failed", "002.jpg is not there any more.")


async def test_a_project_named_twice_at_once_is_one_project(archive: Archive) -> None:
    some_jpegs(archive.photos, 2)
    imports = await asyncio.gather(*(archive.start(project=" Island\0 ") for _ in range(4)))
    for import_id in imports:
        assert (await archive.scanned(import_id))["project"] == "Island"
    await archive.work()
    assert await archive.sql("SELECT name FROM projects") == [{"name": "Island"}]


async def test_an_import_is_scanning_from_its_first_read_on(archive: Archive) -> None:
    some_jpegs(archive.photos, 2)
    seen = await archive.progress(await archive.start())
    assert (seen["state"], seen["found"]) == ("scanning", 0)


async def test_a_cancelled_import_leaves_nothing_and_a_later_one_takes_its_files(archive: Archive) -> None:
    some_jpegs(archive.photos, 6)
    import_id = await archive.start()
    await archive.scanned(import_id)
    answers = archive.answer(await archive.queued())
    await archive.apply(answers[:2])
    seen = await act(archive, import_id, "cancel")
    assert (seen["state"], seen["found"], seen["done"], seen["skipped"]) == ("cancelled", 6, 2, 4)
    await archive.apply(answers[2:])  # what was in work is answered late
    assert len(await archive.sql("SELECT 1 FROM photos")) == 2
    assert await archive.sql("SELECT 1 FROM stage_runs WHERE stage = 'convert' AND state <> 'done'") == []
    assert {reason for _, reason in (await archive.items(import_id)).values()} == {None, "cancelled"}
    await archive.check_books()
    again = await archive.imported()
    assert (again["done"], again["skipped"]) == (4, 2)
    await archive.check_books()
    answer = await archive.site.client.post(f"/api/imports/{import_id}/cancel")
    assert (answer.status_code, answer.json()["error"]["message"]) == (409, "This import is over: start a new one.")


async def test_a_cancelled_scan_stops(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "CHUNK", 1)
    some_jpegs(archive.photos, 40)
    import_id = await archive.start()
    await archive.until(lambda rows: len(rows) >= 2, "SELECT 1 FROM import_items")
    await act(archive, import_id, "cancel")
    await archive.site.scanning.stop()
    archive.site.scanning.take_up()
    seen = await archive.progress(import_id)
    assert seen["state"] == "cancelled"
    assert seen["found"] == seen["skipped"] < 40
    assert await archive.sql("SELECT 1 FROM photos") == []
    await archive.check_books()
    assert (await archive.imported())["done"] == 40


async def test_cancelling_one_of_two_imports_leaves_the_photos_to_the_other(archive: Archive) -> None:
    some_jpegs(archive.photos, 3)
    first, second = await archive.start(), await archive.start()
    for import_id in (first, second):
        await archive.scanned(import_id)
    assert (await act(archive, first, "cancel"))["skipped"] == 3
    await archive.work()
    seen = await archive.progress(second)
    assert (seen["state"], seen["done"]) == ("done", 3)
    await archive.check_books()


async def test_a_photo_that_failed_before_stays_to_be_seen_when_its_retry_is_cancelled(archive: Archive) -> None:
    (archive.photos / "a.jpg").write_bytes(b"no photo")
    first = await archive.imported()
    second = await archive.start()
    await archive.scanned(second)
    await act(archive, second, "cancel")
    assert (await archive.progress(first["id"]))["failed"] == 1
    assert len(await archive.sql("SELECT 1 FROM error_logs")) == 1
    a_jpeg(archive.photos / "a.jpg", seed=1)
    assert (await archive.imported())["done"] == 1


async def test_a_second_import_goes_on_with_what_a_paused_one_holds_back(archive: Archive) -> None:
    some_jpegs(archive.photos, 2)
    first = await archive.start()
    await archive.scanned(first)
    assert (await act(archive, first, "pause"))["state"] == "paused"
    second = await archive.start()
    await archive.scanned(second)
    assert {row["import_id"] for row in await archive.sql("SELECT import_id FROM stage_runs")} == {second}
    assert (await act(archive, first, "resume"))["state"] == "running"


async def test_an_interrupted_scan_goes_on_where_it_was(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "CHUNK", 3)
    for i in range(8):
        some_jpegs(archive.photos / f"{i}", 5, first=i * 5)
        (archive.photos / f"{i}" / "clip.mov").write_bytes(b"x")
    import_id = await archive.start()
    for part in (7, 18, 30):
        await archive.until(lambda rows, part=part: len(rows) >= part, "SELECT 1 FROM import_items")
        await archive.site.scanning.stop()
        archive.site.scanning.take_up()
    seen = await archive.scanned(import_id)
    assert (seen["found"], seen["left_alone"]) == (40, {"mov": 8})
    await archive.work()
    await archive.check_books()


async def test_a_scan_survives_the_loss_of_its_database_connections(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "CHUNK", 1)
    monkeypatch.setattr(scan, "RETRY_SECONDS", 0.01)
    some_jpegs(archive.photos, 40)
    import_id = await archive.start()
    for part in (3, 10, 20):
        await archive.until(lambda rows, part=part: len(rows) >= part, "SELECT 1 FROM import_items")
        await archive.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query NOT LIKE 'LISTEN%'"
        )
    seen = await archive.scanned(import_id)
    assert (seen["found"], seen["state"], seen["error"]) == (40, "running", None)


async def test_two_orchestrators_scanning_the_same_import_count_everything_once(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "CHUNK", 3)
    monkeypatch.setattr(scan, "RETRY_SECONDS", 0.01)
    for i in range(8):
        some_jpegs(archive.photos / f"{i}", 5, first=i * 5)
        (archive.photos / f"{i}" / "clip.mov").write_bytes(b"x")
    import_id = await archive.start()
    other = Scanner(archive.site.services.sessions, archive.settings, lambda: None)
    await other.scan(import_id)
    seen = await archive.scanned(import_id)
    assert (seen["found"], seen["left_alone"]) == (40, {"mov": 8})
    assert len(await archive.sql("SELECT 1 FROM photos")) == 40


async def test_scans_answers_and_cancels_at_once_end_with_the_books_right(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could wait for each other in a circle, all at the same time."""
    monkeypatch.setattr(scan, "CHUNK", 4)
    for i in range(6):
        some_jpegs(archive.photos / f"{i}", 6, first=i * 6)
    answered = asyncio.Event()

    async def answer() -> None:
        while not answered.is_set():
            messages = archive.answer(await archive.queued())
            await asyncio.gather(archive.apply(messages[::2]), archive.apply(messages[1::2] + messages[:3]))
            await asyncio.sleep(0)

    working = asyncio.create_task(answer())
    kept = [await archive.start()]
    for i in range(6):
        doomed = await archive.start(archive.photos / f"{i}")
        kept.append(await archive.start(archive.photos / f"{5 - i}"))
        cancelled = await archive.site.client.post(f"/api/imports/{doomed}/cancel")
        assert cancelled.status_code in (200, 409)
    for import_id in kept:
        await archive.until(
            lambda rows: rows[0]["finished_at"], "SELECT finished_at FROM imports WHERE id = :id", id=import_id
        )
    answered.set()
    await working
    for import_id in kept:
        seen = await archive.progress(import_id)
        assert (seen["state"], seen["failed"], seen["pending"]) == ("done", 0, 0)
    assert len(await archive.sql("SELECT 1 FROM photos WHERE preview IS NOT NULL")) == 36
    assert await archive.sql("SELECT 1 FROM dead_letters") == []
    await archive.check_books()
