"""decisions.jsonl: every decision once, whatever is killed, and what it says can be decided again."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from orchestrator.decision_log.writing import DecisionLog
from tests import factories
from tests.archive import Archive
from tests.keeping import Safe
from tests.stack import a_jpeg


@pytest.fixture
async def opened(safe: Safe) -> AsyncIterator[Archive]:
    async with safe.opened() as archive:
        yield archive


async def photos(archive: Archive, count: int = 3) -> list[int]:
    async with archive.site.services.sessions.begin() as session:
        root = await factories.a_root(session, str(archive.photos))
        made = [await factories.a_photo(session, root, f"{n}.jpg", content_hash=f"{n:064}") for n in range(count)]
        for photo in made:
            await factories.a_file(session, photo, photo.file_name.encode())
        return [photo.id for photo in made]


async def decide(archive: Archive, **body: object) -> str:
    answer = await archive.site.client.post("/api/decisions", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["undo"])


async def caught_up(archive: Archive) -> list[dict[str, Any]]:
    """A writer that has just been started brings the log up to date; all of its decisions."""
    await DecisionLog(archive.site.services.sessions, archive.settings.decisions_file).catch_up()
    lines = [json.loads(line) for line in archive.settings.decisions_file.read_bytes().splitlines()]
    return [line for line in lines if "decided" in line]


async def test_every_decision_is_one_line_with_what_it_takes_to_find_the_photo(opened: Archive) -> None:
    first, second, _ = await photos(opened)
    batch = await decide(opened, ids=[first], user_rating=4, project="Isles")
    await decide(opened, ids=[second], tags=["a\nb"])
    await opened.site.client.post(f"/api/decisions/{batch}/undo", json={})
    rated, tagged, undone = await caught_up(opened)
    assert rated["photo"] == {"hash": f"{0:064}", "path": f"{opened.photos}/0.jpg"}
    assert (rated["decided"]["user_rating"], rated["decided"]["project"], rated["source"]) == (4, "Isles", "person")
    assert tagged["decided"] == {"tags": ["a\nb"]}
    assert (undone["undoes"], undone["decided"]["user_rating"], undone["decided"]["project"]) == (batch, None, None)
    assert len(await caught_up(opened)) == 3


async def test_a_project_is_told_once_also_before_anything_is_decided(opened: Archive) -> None:
    assert (await opened.site.client.post("/api/projects", json={"name": "Isles"})).status_code == 201
    for _ in range(2):
        assert await caught_up(opened) == []
    (line,) = opened.settings.decisions_file.read_bytes().splitlines()
    assert json.loads(line)["naming"] == {"was": None, "name": "Isles"}


async def test_a_kill_neither_doubles_nor_loses_nor_tears_a_line(opened: Archive) -> None:
    (first, second, third) = await photos(opened)
    await decide(opened, ids=[first], user_rating=4, project="Isles")
    await caught_up(opened)
    await opened.sql("UPDATE decision_log SET projects = '{}'")  # killed with the lines on disk, before the commit
    await decide(opened, ids=[second], user_rating=2)
    assert [line["decided"]["user_rating"] for line in await caught_up(opened)] == [4, 2]
    whole = opened.settings.decisions_file.read_bytes()
    for torn in (whole[:-1], whole[:-30], whole + b'{"log": "', whole + b"\0" * 64 + b"\n"):
        opened.settings.decisions_file.write_bytes(torn)
        assert [line["decided"]["user_rating"] for line in await readable(opened)] == [4, 2]
    await decide(opened, ids=[third], user_rating=1)
    assert [line["decided"]["user_rating"] for line in await readable(opened)] == [4, 2, 1]


async def readable(archive: Archive) -> list[dict[str, Any]]:
    """As `caught_up`; a block of zeros, as a power failure leaves it, is passed over."""
    await DecisionLog(archive.site.services.sessions, archive.settings.decisions_file).catch_up()
    lines = archive.settings.decisions_file.read_bytes().splitlines()
    return [said for line in lines if not line.startswith(b"\0") if "decided" in (said := json.loads(line))]


async def test_a_decision_that_is_committed_late_is_not_passed_over(opened: Archive) -> None:
    first, second, _ = await photos(opened)
    note = text(
        "INSERT INTO rating_events (batch, photo_id, source, after)"
        " VALUES (gen_random_uuid(), :id, 'person', '{\"user_rating\": 1}')"
    )
    async with opened.site.services.sessions() as late:
        await late.execute(note, {"id": first})
        await decide(opened, ids=[second], user_rating=5)
        await DecisionLog(opened.site.services.sessions, opened.settings.decisions_file).catch_up()
        assert not opened.settings.decisions_file.exists(), "a lower number is still under way"
        await late.commit()
    assert [line["decided"]["user_rating"] for line in await caught_up(opened)] == [1, 5]


async def test_what_cannot_be_written_is_said_and_written_later(opened: Archive) -> None:
    (first, *_) = await photos(opened)
    file = opened.settings.decisions_file
    file.mkdir()  # nobody can write there, not even root
    writer = DecisionLog(opened.site.services.sessions, file)
    await decide(opened, ids=[first], user_rating=5)
    await writer.try_to_catch_up()
    seen = (await opened.site.client.get("/api/backups")).json()
    assert seen["decisions_problem"] == f"{file} cannot be written: Is a directory."
    file.rmdir()
    await writer.try_to_catch_up()
    await writer.try_to_catch_up()
    assert (await opened.site.client.get("/api/backups")).json()["decisions_problem"] is None
    assert len(await caught_up(opened)) == 1


async def test_what_was_decided_after_a_backup_can_be_decided_again(safe: Safe) -> None:
    async with safe.opened() as archive:
        first, second, third = await photos(archive)
        await decide(archive, ids=[first], user_rating=1, project="Isles")
        await caught_up(archive)
        backup = await asyncio.to_thread(safe.backed_up)
        await decide(archive, ids=[first, second], user_rating=5)
        await caught_up(archive)
    said = await asyncio.to_thread(safe.keepers, "restore", backup)
    assert "`keepers replay`" in said.out
    async with safe.opened() as archive:
        await decide(archive, ids=[third], user_rating=3)
        ratings = [line["decided"]["user_rating"] for line in await caught_up(archive)]
        assert ratings == [1, 5, 5, 3], "what both databases have in common is told once"
        assert (await asyncio.to_thread(safe.keepers, "replay")).status == 0
        assert await safe.sql("SELECT user_rating FROM photos ORDER BY id") == [(5,), (5,), (3,)]
        assert [line["decided"]["user_rating"] for line in await caught_up(archive)][4:] == [5, 5]


async def test_what_was_said_of_a_photo_before_it_was_read_and_after_is_all_said_again(safe: Safe) -> None:
    async with safe.opened() as archive:
        first, *_ = await photos(archive)
        await archive.sql("UPDATE photos SET content_hash = NULL")
        await decide(archive, ids=[first], tags=["kayak"])
        await caught_up(archive)
        await archive.sql(f"UPDATE photos SET content_hash = '{0:064}'")
        await decide(archive, ids=[first], user_rating=4)
        await caught_up(archive)
        await archive.sql("UPDATE photos SET content_hash = NULL, user_rating = NULL, tags = NULL")
        said = await asyncio.to_thread(safe.keepers, "replay")
        assert said.status == 0, said.out
        assert await safe.sql(f"SELECT user_rating, tags FROM photos WHERE id = {first}") == [(4, ["kayak"])]


async def test_photos_are_found_by_their_bytes_wherever_they_are_now(safe: Safe) -> None:
    async with safe.opened() as archive:
        for n in range(3):
            a_jpeg(archive.photos / f"{n}.jpg", seed=n)
        await archive.imported()
        ids = [row["id"] for row in await archive.sql("SELECT id FROM photos ORDER BY file_name")]
        await decide(archive, ids=ids[:2], user_rating=4, project="Old name")
        await decide(archive, ids=ids[2:], action="reject")
        await caught_up(archive)
        await archive.sql("UPDATE projects SET name = 'New name'")
        await archive.sql("INSERT INTO projects (name) VALUES ('Empty')")
        await caught_up(archive)
    file = safe.settings.decisions_file
    file.write_bytes(file.read_bytes() * 2 + b"not a line of ours\n[1, 2]\n")
    await safe.empty()
    async with safe.opened() as archive:
        archive.photos.joinpath("0.jpg").rename(archive.photos / "renamed.jpg")
        archive.photos.joinpath("2.jpg").unlink()
        elsewhere = archive.photos.rename(archive.photos.with_name("another drive"))
        await archive.imported(elsewhere)
        would = await asyncio.to_thread(safe.keepers, "replay", "--dry-run")
        assert "2 photos would be changed" in would.out
        assert await safe.sql("SELECT name FROM projects") == []
        said = await asyncio.to_thread(safe.keepers, "replay", file)
        assert said.status == 1
        assert "3 decisions about 3 photos" in said.out
        assert "2 photos changed, 0 are so already, 1 were not found." in said.out
        assert f"not found: {archive.photos}/2.jpg" in said.out
        assert "2 lines could not be read" in said.out
        rows = await safe.sql("SELECT user_rating, name FROM photos JOIN projects ON projects.id = project_id")
        assert rows == [(4, "New name")] * 2
        assert await safe.sql("SELECT name FROM projects ORDER BY 1") == [("Empty",), ("New name",)]


async def test_a_file_without_decisions_is_refused(safe: Safe, tmp_path: Path) -> None:
    other = a_jpeg(tmp_path / "photo.jpg", seed=1)
    said = await asyncio.to_thread(safe.keepers, "replay", other)
    assert (said.status, said.err) == (1, f"{other} holds no decisions of Keepers.\n")
    said = await asyncio.to_thread(safe.keepers, "replay")
    assert (said.status, said.err) == (
        1,
        f"{safe.settings.decisions_file} cannot be read: No such file or directory.\n",
    )
