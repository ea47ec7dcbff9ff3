"""Backups that outlive their place: an upgrade, another home, and work that was under way."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.backups import kept
from orchestrator.db import migrate, open_engine
from orchestrator.embedded.home import Home
from tests.keeping import Safe, an_archive
from tests.stack import Stack, a_jpeg


def test_before_an_upgrade_there_is_a_backup_that_the_new_version_can_restore(stack: Stack) -> None:
    stack.sql("DROP SCHEMA public CASCADE")
    stack.sql("CREATE SCHEMA public")
    asyncio.run(migrated(stack.environment["DATABASE_URL"], "0001"))
    stack.sql("INSERT INTO roots (path, label, state) VALUES ('/photos', 'photos', 'online')")
    stack.sql("INSERT INTO photos (root_id, file_name, file_path, user_rating) VALUES (1, 'a.jpg', '/photos/a.jpg', 5)")
    folder = stack.home / "backups"
    folder.mkdir()
    of_another = folder / kept.name_of(datetime.now(UTC), "upgrade", "0123456789ab")
    of_another.touch()
    stack.stop(stack.orchestrator())
    ((archive,),) = stack.sql("SELECT archive FROM backup_state")
    (made,) = set(folder.iterdir()) - {of_another}
    assert made.name.endswith(f"-upgrade-{archive}.zip")
    stack.sql("DELETE FROM photos")
    stack.keepers("restore", made)
    assert stack.sql("SELECT file_name, user_rating FROM photos") == [("a.jpg", 5)]
    stack.orchestrator()
    (photo,) = stack.sql("SELECT tags FROM photos")
    assert photo == (None,), "it is of the newest schema again"
    assert set(folder.iterdir()) == {made, of_another}


async def migrated(database_url: str, revision: str) -> None:
    engine = open_engine(database_url)
    await migrate(engine, revision=revision)
    await engine.dispose()


async def test_a_backup_moves_an_archive_into_a_new_home_with_its_own_postgresql(
    safe: Safe, monkeypatch: pytest.MonkeyPatch, services_home: Path
) -> None:
    await an_archive(safe)
    backup = await asyncio.to_thread(safe.backed_up)
    home = services_home / "new home"  # pytest's own folders are closed to the user that PostgreSQL runs as
    monkeypatch.setenv("KEEPERS_HOME", str(home))
    monkeypatch.delenv("DATABASE_URL")
    said = await asyncio.to_thread(safe.keepers, "restore", backup)
    assert said.status == 0, said.err
    assert (await asyncio.to_thread(safe.keepers, "backup")).status == 0
    assert "3 photos" in (await asyncio.to_thread(safe.keepers, "backup", "--list")).out
    lock = Home(home)
    assert lock.lock(), "the commands have stopped what they started"
    said = await asyncio.to_thread(safe.keepers, "restore", backup)
    lock.unlock()
    assert (said.status, said.err) == (1, "Keepers is open. Stop it (Ctrl-C where `keepers up` runs), then restore.\n")


def test_after_a_restore_what_was_under_way_is_done(stack: Stack, tmp_path: Path) -> None:
    for i in range(6):
        a_jpeg(stack.photos / f"{i}.jpg", seed=i)
    orchestrator = stack.orchestrator()
    import_id = stack.start_import()
    stack.wait(lambda: stack.sql("SELECT 1 FROM stage_runs WHERE state = 'published'"), "some to be published")
    stack.keepers("backup", "--to", tmp_path / "elsewhere")
    stack.stop(orchestrator)
    stack.sql("UPDATE photos SET user_rating = 5")
    (backup,) = (tmp_path / "elsewhere").iterdir()
    stack.keepers("restore", backup)
    stack.orchestrator()
    stack.workers()
    assert stack.settled(import_id)["done"] == 6
    assert stack.sql("SELECT DISTINCT user_rating FROM photos") == [(None,)]
    stack.check_books()
    ids = [photo["id"] for photo in stack.photos_shown()]
    assert stack.client.post("/api/decisions", json={"ids": ids, "user_rating": 3}).status_code == 200
    log = stack.home / "decisions.jsonl"
    stack.wait(lambda: log.exists() and log.read_bytes().count(b'"user_rating":3') == 6, "the decisions in the log")
