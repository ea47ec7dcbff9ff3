"""Drives come and go, move, and are exchanged for others."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pika
import pytest

from orchestrator.imports import roots, scan
from shared.claims import claim_of
from shared.topology import topology
from tests.archive import Archive
from tests.disks import remount, small_disk
from tests.pictures import dng, saved, scene
from tests.stack import Stack, a_jpeg

DOUBLES = "tests.doubles.stages"


def some_jpegs(folder: Path, count: int, first: int = 0) -> None:
    for i in range(first, first + count):
        a_jpeg(folder / f"{i:03}.jpg", seed=i, size=(64, 48))


async def roots_of(archive: Archive) -> list[tuple[str, str]]:
    rows = await archive.sql("SELECT path, state FROM roots ORDER BY id")
    return [(os.fsdecode(row["path"]), row["state"]) for row in rows]


async def test_a_scan_whose_root_goes_away_waits_and_finds_everything_in_the_end(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(scan, "CHUNK", 1)
    monkeypatch.setattr(scan, "RETRY_SECONDS", 0.01)
    for i in range(10):
        some_jpegs(archive.photos / f"{i}", 3, first=3 * i)
    import_id = await archive.start()
    await archive.until(lambda rows: len(rows) > 4, "SELECT 1 FROM import_items")
    archive.photos.rename(tmp_path / "away")
    why = f"{archive.photos} is not connected: the import goes on when it is back."
    error = "SELECT error FROM imports WHERE id = :id"
    await archive.until(lambda rows: rows[0]["error"] == why, error, id=import_id)
    archive.photos.mkdir()
    await archive.until(lambda rows: rows[0]["error"] == why, error, id=import_id)
    seen = await archive.progress(import_id)
    assert (seen["state"], seen["held"]) == ("held", why)
    archive.photos.rmdir()
    (tmp_path / "away").rename(archive.photos)
    seen = await archive.scanned(import_id)
    assert (seen["found"], seen["left_alone"], seen["held"]) == (30, {}, None)


async def test_a_folder_that_contains_roots_becomes_their_root(archive: Archive) -> None:
    for name in ("one", "two", "two/deep"):
        some_jpegs(archive.photos / name, 2, first=ord(name[0]) + len(name) * 10)
    first = await archive.imported(archive.photos / "one")
    await archive.imported(archive.photos / "two" / "deep")
    await archive.imported(archive.photos / "two")
    third = await archive.start(archive.photos)
    assert await roots_of(archive) == [(str(archive.photos), "online")]
    seen = await archive.scanned(third)
    assert (seen["found"], seen["skipped"]) == (6, 6)
    assert {reason for _, reason in (await archive.items(third)).values()} == {"already in the archive"}
    assert set(await archive.items(first["id"])) == {"one/141.jpg", "one/142.jpg"}
    assert {path for path, _, _ in await archive.files()} == set(await archive.items(third))
    folders = await archive.sql("SELECT folder, cursor FROM imports ORDER BY id")
    assert [row["folder"] for row in folders] == [b"one", b"two/deep", b"two", b""]
    assert [row["cursor"] for row in folders] == [b"one", b"two/deep", b"two/deep", b"two/deep"]
    await archive.check_books()


async def test_a_folder_is_recognised_without_a_look_at_drives_that_have_nothing_to_do_with_it(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of them may be a network drive that hangs."""
    some_jpegs(archive.photos, 3)
    await archive.imported()
    some_jpegs(tmp_path / "card", 3, first=10)
    looked_at: list[bytes | Path] = []
    monkeypatch.setattr(roots, "is_empty_or_missing", looked_at.append)
    assert (await archive.imported(tmp_path / "card"))["done"] == 3
    assert looked_at == []


async def test_a_scan_goes_on_when_its_root_becomes_part_of_a_larger_one(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "CHUNK", 1)
    monkeypatch.setattr(scan, "RETRY_SECONDS", 0.01)
    for i in range(6):
        some_jpegs(archive.photos / "inner" / f"{i}", 3, first=3 * i)
    inner = await archive.start(archive.photos / "inner")
    await archive.until(lambda rows: len(rows) > 3, "SELECT 1 FROM import_items")
    outer = await archive.start(archive.photos)
    for import_id in (inner, outer):
        assert (await archive.scanned(import_id))["found"] == 18
        assert set(await archive.items(import_id)) == {f"inner/{i // 3}/{i:03}.jpg" for i in range(18)}
    await archive.work()
    assert (await archive.progress(inner))["done"] == 18
    assert len(await archive.sql("SELECT 1 FROM photos")) == 18
    await archive.check_books()


async def test_a_root_under_another_path_is_recognised_and_its_waiting_work_goes_there(
    archive: Archive, tmp_path: Path
) -> None:
    some_jpegs(archive.photos, 4)
    (archive.photos / "pair.DNG").write_bytes(dng(scene(240, 160, 5)))
    (archive.photos / "pair.JPG").write_bytes(saved(scene(240, 160, 5), "JPEG"))
    first = await archive.start()
    await archive.scanned(first)
    out = await archive.queued()
    await archive.apply(archive.answer(out[:2]))
    moved = tmp_path / os.fsdecode(b"mounted #\xff elsewhere")
    archive.photos.rename(moved)
    answer = await archive.site.client.post("/api/imports", json={"claim": claim_of(moved)})
    second = answer.json()["id"]
    assert (await archive.scanned(second))["found"] == 5
    await archive.apply(archive.answer(out[2:]))  # held, but nobody waits for these any more
    assert [one["state"] for one in await archive.sql("SELECT state FROM roots")] == ["online"]
    await archive.work()
    for import_id in (first, second):
        seen = await archive.progress(import_id)
        assert (seen["state"], seen["failed"], seen["pending"], seen["held"]) == ("done", 0, 0, None)
    assert len(await archive.sql("SELECT 1 FROM photos WHERE preview IS NOT NULL")) == 5
    paths = {row["file_path"] for row in await archive.sql("SELECT file_path FROM photos")}
    assert all(path.startswith(f"{tmp_path}/mounted #\ufffd elsewhere/") for path in paths)
    await archive.check_books()


async def test_another_card_in_the_same_reader_is_another_root(archive: Archive, tmp_path: Path) -> None:
    """Same path, same file names, other photos."""
    some_jpegs(archive.photos, 3)
    await archive.imported()
    await archive.sql("UPDATE photos SET user_rating = 5")
    hashes = await archive.sql("SELECT id, content_hash FROM photos ORDER BY id")
    archive.photos.rename(tmp_path / "first card")
    archive.photos.mkdir()
    for i in range(3):
        a_jpeg(archive.photos / f"{i:03}.jpg", seed=100 + i, size=(64, 48))
    assert (await archive.imported())["done"] == 3
    assert [state for _, state in await roots_of(archive)] == ["offline", "online"]
    assert await archive.sql("SELECT id, content_hash FROM photos WHERE user_rating = 5 ORDER BY id") == hashes
    archive.photos.rename(tmp_path / "second card")
    (tmp_path / "first card").rename(archive.photos)
    again = await archive.imported()
    assert (again["found"], again["skipped"]) == (3, 3)
    assert [state for _, state in await roots_of(archive)] == ["online", "offline"]
    assert len(await archive.sql("SELECT 1 FROM photos")) == 6
    await archive.check_books()


async def test_work_for_a_card_is_not_done_on_another(archive: Archive, tmp_path: Path) -> None:
    some_jpegs(archive.photos, 3)
    first = await archive.start()
    await archive.scanned(first)
    out = await archive.queued()
    archive.photos.rename(tmp_path / "first card")
    some_jpegs(archive.photos, 3, first=50)
    second = await archive.start()
    await archive.scanned(second)
    await archive.apply(archive.answer(out))
    await archive.work()
    seen = await archive.progress(first)
    assert (seen["state"], seen["held"]) == ("held", f"Another drive is connected at {archive.photos}.")
    assert (await archive.progress(second))["done"] == 3
    archive.photos.rename(tmp_path / "second card")
    (tmp_path / "first card").rename(archive.photos)
    await archive.imported()
    assert (await archive.progress(first))["done"] == 3
    await archive.check_books()


async def test_a_card_that_was_missed_before_another_took_its_place_is_not_probed_for_there(
    archive: Archive, tmp_path: Path
) -> None:
    some_jpegs(archive.photos, 3)
    first = await archive.start()
    await archive.scanned(first)
    archive.photos.rename(tmp_path / "first card")
    root = (await archive.sql("SELECT id FROM roots"))[0]["id"]
    await archive.sql("UPDATE roots SET state = 'offline', problem = 'The drive is not connected.'")
    await archive.sql(f"UPDATE stage_runs SET state = 'held', hold_key = 'root:{root}'")
    await archive.sql(
        f"INSERT INTO breakers (key, stage, cause, probe_at) VALUES ('root:{root}', 'convert', '', now())"
    )
    some_jpegs(archive.photos, 3, first=50)
    await archive.scanned(await archive.start())
    (breaker,) = await archive.sql("SELECT cause, probe_at > now() + interval '1 year' AS is_far FROM breakers")
    assert tuple(breaker.values()) == (f"Another drive is connected at {archive.photos}.", True)
    assert [state for _, state in await roots_of(archive)] == ["offline", "online"]


async def test_a_new_folder_with_the_inode_of_a_removed_root_is_not_that_root(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roots, "identity_of", lambda folder: "the same for all")
    some_jpegs(archive.photos, 3)
    await archive.imported()
    archive.photos.rename(tmp_path / "not to be found")
    some_jpegs(tmp_path / "other", 3, first=20)
    await archive.imported(tmp_path / "other")
    assert await roots_of(archive) == [(str(archive.photos), "online"), (str(tmp_path / "other"), "online")]


async def test_a_drive_that_was_restored_from_a_backup_is_the_same_root(archive: Archive, tmp_path: Path) -> None:
    some_jpegs(archive.photos, 3)
    await archive.imported()
    shutil.copytree(archive.photos, tmp_path / "backup", copy_function=shutil.copyfile)
    shutil.rmtree(archive.photos)
    (tmp_path / "backup").rename(archive.photos)
    again = await archive.imported()
    assert (again["found"], again["failed"]) == (3, 0)
    assert len(await roots_of(archive)) == 1
    assert len(await archive.sql("SELECT 1 FROM photos")) == 3


async def test_photos_of_a_drive_that_is_away_are_copied_elsewhere_not_moved(archive: Archive, tmp_path: Path) -> None:
    some_jpegs(archive.photos, 3)
    await archive.imported()
    backup = tmp_path / "backup"
    backup.mkdir()
    shutil.copyfile(archive.photos / "000.jpg", backup / "000.jpg")
    archive.photos.rename(tmp_path / "unplugged")
    again = await archive.imported(backup)
    assert await archive.items(again["id"]) == {"000.jpg": ("skipped", "a copy of 000.jpg")}


async def test_an_offline_root_that_is_imported_again_is_online(archive: Archive) -> None:
    some_jpegs(archive.photos, 2)
    first = await archive.start()
    await archive.scanned(first)
    out = await archive.queued()
    archive.photos.rename(archive.photos.with_name("away"))
    await archive.apply(archive.answer(out))
    seen = await archive.progress(first)
    assert (seen["state"], seen["pending"], seen["failed"]) == ("held", 2, 0)
    assert seen["held"] == "photos is not connected or cannot be read."
    archive.photos.with_name("away").rename(archive.photos)
    assert (await archive.imported())["done"] == 2
    assert await roots_of(archive) == [(str(archive.photos), "online")]
    assert (await archive.progress(first))["state"] == "done"


def held(stack: Stack, import_id: int) -> dict[str, Any]:
    stack.wait(lambda: stack.progress(import_id)["state"] == "held", "the import to be held")
    return stack.progress(import_id)


def half_imported(stack: Stack) -> int:
    """Five done, the sixth in a worker's hands, five behind it."""
    some_jpegs(stack.photos, 5)
    a_jpeg(stack.photos / "wait.jpg", seed=99)
    for i in range(5):
        a_jpeg(stack.photos / f"z{i}.jpg", seed=200 + i)
    stack.orchestrator()
    stack.workers(package=DOUBLES)
    import_id = stack.start_import()
    stack.wait(lambda: stack.progress(import_id)["done"] == 5, "the first five")
    return import_id


@pytest.mark.timeout(240)
def test_a_root_that_goes_away_holds_its_work_until_it_is_back(stack: Stack, tmp_path: Path) -> None:
    import_id = half_imported(stack)
    stack.photos.rename(tmp_path / "away")
    (stack.home / "go").touch()
    seen = held(stack, import_id)
    assert (seen["found"], seen["done"], seen["failed"], seen["pending"]) == (11, 5, 0, 6)
    assert seen["held"] == "photos is not connected or cannot be read."
    stack.photos.mkdir()
    probes = stack.sql("SELECT probes FROM breakers")[0][0]
    stack.wait(lambda: stack.sql("SELECT probes FROM breakers")[0][0] > probes + 1, "it to be looked for")
    assert held(stack, import_id)["failed"] == 0
    stack.photos.rmdir()
    (tmp_path / "away").rename(stack.photos)
    seen = stack.settled(import_id)
    assert (seen["done"], seen["failed"], seen["held"]) == (11, 0, None)
    assert stack.sql("SELECT 1 FROM error_logs") == []
    stack.check_books()


@pytest.mark.timeout(240)
def test_a_root_that_comes_back_elsewhere_completes_there(stack: Stack, tmp_path: Path) -> None:
    import_id = half_imported(stack)
    stack.photos.rename(tmp_path / "elsewhere")
    (stack.home / "go").touch()
    held(stack, import_id)
    again = stack.start_import(tmp_path / "elsewhere")
    for one in (import_id, again):
        seen = stack.settled(one)
        assert (seen["found"], seen["failed"], seen["held"]) == (11, 0, None)
    assert len(stack.photos_shown()) == 11
    assert stack.sql("SELECT count(*) FROM roots") == [(1,)]
    stack.check_books()


@pytest.fixture
def claims_disk(stack: Stack) -> Iterator[Path]:
    """A small disk for derived files."""
    with small_disk(stack.home / "claims") as disk:
        yield disk


@pytest.mark.timeout(240)
def test_a_full_or_read_only_disk_holds_everything_until_there_is_room(stack: Stack, claims_disk: Path) -> None:
    for i in range(4):
        a_jpeg(stack.photos / f"{i}.jpg", seed=i)
    stack.orchestrator()
    stack.workers()
    import_id = stack.start_import()
    seen = held(stack, import_id)
    assert seen["failed"] == 0
    assert seen["held"] == f"Keepers cannot write previews to {claims_disk}: No space left on device."
    remount(claims_disk, "ro,size=16k")
    sentence = f"Keepers cannot write previews to {claims_disk}: Read-only file system."
    stack.wait(lambda: stack.progress(import_id)["held"] == sentence, "the new reason")
    remount(claims_disk, "rw,size=16m")
    seen = stack.settled(import_id)
    assert (seen["done"], seen["failed"], seen["held"]) == (4, 0, None)
    assert stack.sql("SELECT 1 FROM error_logs") == []
    stack.check_books()


@pytest.mark.timeout(240)
def test_a_paused_import_publishes_nothing_and_a_cancelled_one_leaves_no_message(stack: Stack) -> None:
    import_id = half_imported(stack)
    act(stack, import_id, "pause")
    (stack.home / "go").touch()
    is_out = "SELECT 1 FROM stage_runs WHERE stage = 'convert' AND state = 'published'"
    more = stack.photos.parent / "more"
    a_jpeg(more / "more.jpg", seed=900)
    assert stack.settled(stack.start_import(more))["done"] == 1  # another import goes on meanwhile
    stack.wait(lambda: not stack.sql(is_out), "what was out to be done")
    paused = stack.progress(import_id)
    assert paused["state"] == "paused"
    assert paused["pending"] > 0
    a_jpeg(more / "yet-more.jpg", seed=899)
    assert stack.settled(stack.start_import(more))["done"] == 1
    assert stack.progress(import_id)["pending"] == paused["pending"]
    act(stack, import_id, "resume")
    assert stack.settled(import_id)["done"] == 11
    (stack.home / "go").unlink()
    a_jpeg(stack.photos / "wait-again.jpg", seed=901)
    for i in range(5):
        a_jpeg(stack.photos / f"zz{i}.jpg", seed=910 + i)
    doomed = stack.start_import()
    stack.wait(lambda: stack.progress(doomed)["state"] == "running", "the scan")
    stack.wait(lambda: stack.sql(is_out), "a message to be out")
    seen = act(stack, doomed, "cancel")
    assert (seen["state"], seen["pending"], seen["found"]) == ("cancelled", 0, 17)
    (stack.home / "go").touch()
    names = topology(stack.environment["TOPOLOGY_PREFIX"], ["convert", "embed"], [50, 50, 50])
    connection = pika.BlockingConnection(pika.URLParameters(stack.environment["RABBITMQ_URL"]))
    channel = connection.channel()

    def is_empty() -> bool:
        queues = [names.stage_queue("convert"), names.result_queue]
        return not any(channel.queue_declare(queue, passive=True).method.message_count for queue in queues)

    stack.wait(is_empty, "the queues to be empty")
    connection.close()
    stack.wait(lambda: stack.sql("SELECT 1 FROM orphan_candidates"), "the late answer")
    assert len(stack.photos_shown()) == 13
    stack.check_books()
    assert stack.settled(stack.start_import())["done"] == 6
    stack.check_books()


def act(stack: Stack, import_id: int, action: str) -> dict[str, Any]:
    answer = stack.client.post(f"/api/imports/{import_id}/{action}")
    assert answer.status_code == 200, answer.text
    seen: dict[str, Any] = answer.json()
    return seen


@pytest.mark.timeout(240)
def test_a_scan_goes_on_after_its_orchestrator_was_killed(stack: Stack) -> None:
    for i in range(6_000):
        path = stack.photos / f"{i // 50:03}" / f"{i:04}.jpg"
        path.parent.mkdir(exist_ok=True)
        with open(path, "wb") as file:
            file.truncate(i + 1)
    orchestrator = stack.orchestrator()
    import_id = stack.start_import()
    stack.wait(lambda: stack.progress(import_id)["found"] > 300, "a part of it")
    stack.stop(orchestrator, signal.SIGKILL)
    assert stack.sql("SELECT scanned FROM imports") == [(False,)]
    stack.orchestrator()
    stack.wait(lambda: stack.progress(import_id)["state"] == "running", "the scan")
    assert stack.progress(import_id)["found"] == 6_000
    assert stack.sql("SELECT count(*) FROM photos") == [(6_000,)]
    stack.check_books()
