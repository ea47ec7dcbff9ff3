"""Where it is switched on, decisions are in the sidecars some seconds after they were made."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from orchestrator.tasks import end_tasks
from orchestrator.write_back import background, files
from orchestrator.write_back.background import keep_writing, write_due
from shared.xmp import rating_of
from tests.archive import Archive
from tests.pictures import dng, scene
from tests.ratings_in_files import a_photo, a_sidecar, act, conflicts, packet, rate, said, settle
from tests.watched import imports, until_known, watch, watching


async def allowed(archive: Archive, *names: str, sidecar: int | None = None) -> dict[str, Any]:
    """These RAWs are imported, with a sidecar of so many stars beside the first; and the switch is on."""
    for seed, name in enumerate(names or ("a.dng",)):
        (archive.photos / name).write_bytes(dng(scene(90, 60, seed)))
    if sidecar is not None:
        a_sidecar(archive, "a.xmp", sidecar)
    await archive.imported()
    return await switch(archive)


async def switch(archive: Archive, enabled: bool = True) -> dict[str, Any]:
    (root,) = await archive.sql("SELECT id FROM roots")
    answer = await archive.site.client.post(f"/api/roots/{root['id']}/write-back", json={"enabled": enabled})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def state(archive: Archive) -> dict[str, Any]:
    (root,) = (await archive.site.client.get("/api/roots/settings")).json()["items"]
    found: dict[str, Any] = root["sidecars"]
    return found


async def write(archive: Archive, delay_seconds: float = 0) -> None:
    await write_due(archive.site.services.sessions, delay_seconds)


def in_file(archive: Archive, name: str = "a.xmp") -> int | None:
    return rating_of((archive.photos / name).read_bytes())


async def test_a_decision_is_written_after_a_while_and_so_is_taking_it_back(archive: Archive) -> None:
    await allowed(archive)
    await rate(archive, user_rating=4)
    assert (await state(archive))["waiting"] == 1
    await write(archive, delay_seconds=60)
    assert not (archive.photos / "a.xmp").exists()
    await write(archive)
    assert (in_file(archive), (await state(archive))["waiting"]) == (4, 0)
    await act(archive, "reject")
    await write(archive)
    assert in_file(archive) == -1
    await act(archive, "restore")
    await rate(archive, user_rating=None)
    await write(archive)
    assert in_file(archive) is None


async def test_it_goes_on_by_itself(archive: Archive) -> None:
    await allowed(archive)
    writing = asyncio.create_task(keep_writing(archive.site.services.sessions, 0))
    await rate(archive, user_rating=3)
    await archive.until(lambda rows: not rows, "SELECT 1 FROM due_sidecars")
    assert in_file(archive) == 3
    await end_tasks([writing])


async def test_switched_on_what_was_decided_before_is_written_and_switched_off_nothing_is(archive: Archive) -> None:
    (archive.photos / "a.dng").write_bytes(dng(scene(90, 60, 1)))
    a_photo(archive, "b.jpg", 2)
    await archive.imported()
    await archive.sql("UPDATE photos SET user_rating = 5")
    assert (await switch(archive))["state"]["waiting"] == 2
    await write(archive)
    assert sorted(path.name for path in archive.photos.iterdir()) == ["a.dng", "a.xmp", "b.jpg"]
    assert (await state(archive)) == {"waiting": 0, "problem": None, "not_written": 0, "first": []}
    await switch(archive, enabled=False)
    await archive.site.client.post("/api/decisions", json={"ids": [1, 2], "user_rating": 1})
    await write(archive)
    assert (in_file(archive), await archive.sql("SELECT 1 FROM due_sidecars")) == (5, [])


async def test_more_than_a_batch_is_written_and_what_is_decided_meanwhile_is_due_again(archive: Archive) -> None:
    names = [f"{number:02}.dng" for number in range(55)]
    for seed, name in enumerate(names):
        (archive.photos / name).write_bytes(dng(scene(30, 20, seed)))
    await archive.imported()
    await switch(archive)
    ids = [row["id"] for row in await archive.sql("SELECT id FROM photos")]
    await archive.site.client.post("/api/decisions", json={"ids": ids, "user_rating": 2})
    assert (await state(archive))["waiting"] == 55
    await write(archive)
    assert {in_file(archive, f"{name[:2]}.xmp") for name in names} == {2}
    assert (await state(archive))["waiting"] == 0


async def test_a_sidecar_that_another_program_changed_is_a_conflict_and_left_as_it_is(archive: Archive) -> None:
    await allowed(archive, sidecar=2)
    await rate(archive, user_rating=5)
    a_sidecar(archive, "a.xmp", 3)
    await write(archive)
    assert (in_file(archive), await conflicts(archive)) == (3, [("a.dng", 5, 3)])
    await settle(archive, "ours")
    await write(archive)
    assert (in_file(archive), await conflicts(archive)) == (5, [])


async def test_a_rating_that_another_program_took_out_waits_for_the_next_decision(archive: Archive) -> None:
    await allowed(archive, sidecar=2)
    await rate(archive, user_rating=5)
    a_sidecar(archive, "a.xmp", None)
    await write(archive)
    await write(archive)
    seen = await state(archive)
    assert (in_file(archive), seen["waiting"], seen["not_written"]) == (None, 0, 1)
    assert "took its rating out" in seen["first"][0]
    await rate(archive, user_rating=4)
    await write(archive)
    assert (in_file(archive), (await state(archive))["not_written"]) == (4, 0)


async def test_what_could_not_be_written_is_tried_again(archive: Archive) -> None:
    await allowed(archive, sidecar=2)
    (archive.photos / "a.xmp").chmod(0o444)
    await rate(archive, user_rating=5)
    await write(archive)
    assert "write-protected" in (await state(archive))["first"][0]
    (archive.photos / "a.xmp").chmod(0o644)
    await archive.sql("UPDATE due_sidecars SET due_at = due_at - interval '10 minutes'")
    await write(archive)
    assert (in_file(archive), (await state(archive))["not_written"]) == (5, 0)


async def test_a_drive_that_is_away_or_read_only_loses_nothing(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await allowed(archive)
    archive.photos.rename(tmp_path / "unplugged")
    await rate(archive, user_rating=4)
    await write(archive)
    seen = await state(archive)
    assert (seen["waiting"], "is not connected" in seen["problem"]) == (1, True)
    (tmp_path / "unplugged").rename(archive.photos)
    monkeypatch.setattr(files, "trouble_with", lambda root: "can only be read")
    await write(archive)
    assert "can only be read" in (await state(archive))["problem"]
    monkeypatch.undo()
    await write(archive)
    assert (in_file(archive), await state(archive)) == (
        4,
        {"waiting": 0, "problem": None, "not_written": 0, "first": []},
    )


async def test_nothing_is_written_on_another_drive_with_the_same_names(archive: Archive, tmp_path: Path) -> None:
    await allowed(archive)
    await archive.sql("UPDATE roots SET identity = 'of the first card'")
    archive.photos.rename(tmp_path / "unplugged")
    archive.photos.mkdir()
    (archive.photos / "a.dng").write_bytes(dng(scene(90, 60, 8)))
    await rate(archive, user_rating=4)
    await write(archive)
    seen = await state(archive)
    assert (seen["waiting"], "Another drive is connected" in seen["problem"]) == (1, True)
    assert [path.name for path in archive.photos.iterdir()] == ["a.dng"]
    (archive.photos / "a.dng").unlink()
    archive.photos.rmdir()
    (tmp_path / "unplugged").rename(archive.photos)  # what is on it says which one it is
    await write(archive)
    assert (in_file(archive), (await state(archive))["problem"]) == (4, None)


async def test_what_is_written_is_no_news_to_a_watch_but_what_another_program_writes_is(quick: Archive) -> None:
    await allowed(quick)
    await watch(quick)
    async with watching(quick):
        await rate(quick, user_rating=4)
        await write(quick)
        (quick.photos / "b.dng").write_bytes(dng(scene(90, 60, 7)))
        await until_known(quick, "a.dng", "b.dng")  # it came after the sidecar, and was heard after it
        newest, _ = await imports(quick)
        assert (newest["found"], await conflicts(quick)) == (1, [])
        a_sidecar(quick, "b.xmp", 2)
        await quick.until(len, "SELECT 1 FROM photos WHERE file_name = 'b.dng' AND user_rating = 2")
        assert (await imports(quick))[0]["found"] == 1
        a_sidecar(quick, "a.xmp", 1)
        await quick.until(len, "SELECT 1 FROM rating_conflicts")
    assert await conflicts(quick) == [("a.dng", 4, 1)]
    assert (await said(quick), (quick.photos / "a.xmp").read_bytes()) == ({"a.dng": 4, "b.dng": 2}, packet(1))


async def test_a_drive_that_hangs_keeps_no_other_one_from_being_written(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "PATIENCE_SECONDS", 0.1)
    await allowed(archive)
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.dng").write_bytes(dng(scene(90, 60, 2)))
    await archive.imported(other)
    (its_root,) = await archive.sql("SELECT id FROM roots WHERE path = :path", path=bytes(other))
    await archive.site.client.post(f"/api/roots/{its_root['id']}/write-back", json={"enabled": True})
    look, answers = files.trouble_with, threading.Event()

    def trouble_with(root: bytes) -> str | None:
        assert root == bytes(other) or answers.wait(60)
        return look(root)

    monkeypatch.setattr(files, "trouble_with", trouble_with)
    ids = [row["id"] for row in await archive.sql("SELECT id FROM photos")]
    await archive.site.client.post("/api/decisions", json={"ids": ids, "user_rating": 3})
    writing = asyncio.create_task(keep_writing(archive.site.services.sessions, 0))
    problem = "SELECT sidecar_problem AS said FROM roots ORDER BY id LIMIT 1"
    await archive.until(lambda rows: len(rows) == 1, "SELECT 1 FROM due_sidecars")
    await archive.until(lambda rows: "does not answer" in str(rows[0]["said"]), problem)
    assert (rating_of((other / "b.xmp").read_bytes()), (archive.photos / "a.xmp").exists()) == (3, False)
    answers.set()
    await archive.until(lambda rows: not rows, "SELECT 1 FROM due_sidecars")
    assert (in_file(archive), (await archive.sql(problem))[0]["said"]) == (3, None)
    await end_tasks([writing])


async def test_a_folder_that_becomes_part_of_a_larger_one_says_that_its_switch_is_off(archive: Archive) -> None:
    """It was allowed for a part. What was not written yet is, once it is allowed for all."""
    inner = archive.photos / "raw"
    inner.mkdir()
    (inner / "a.dng").write_bytes(dng(scene(90, 60, 1)))
    await archive.imported(inner)
    await switch(archive)
    await rate(archive, user_rating=4)
    await archive.imported()
    (root,) = (await archive.site.client.get("/api/roots/settings")).json()["items"]
    assert (root["path"], root["writes_sidecars"]) == (str(archive.photos), False)
    assert f"Sidecars were written in {inner}" in root["sidecars"]["problem"]
    await write(archive)
    assert not (inner / "a.xmp").exists()
    await switch(archive)
    assert (await state(archive))["problem"] is None
    await write(archive)
    assert in_file(archive, "raw/a.xmp") == 4
