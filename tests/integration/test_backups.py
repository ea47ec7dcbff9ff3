"""Backups: made while Keepers is at work, restored as they were, and refused when they are not whole."""

import asyncio
import json
import re
import shutil
import stat
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from orchestrator.backups import writing
from orchestrator.decision_log.writing import DecisionLog
from orchestrator.embedding import service as embeddings
from tests.archive import Archive
from tests.connoisseur import Connoisseur
from tests.keeping import Safe, an_archive
from tests.samples import put_samples
from tests.stack import a_jpeg

SECONDS = 60.0


async def decide(archive: Archive, **body: object) -> str:
    answer = await archive.site.client.post("/api/decisions", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["undo"])


async def decided_about_the_samples(archive: Archive, samples: Path) -> None:
    """Ratings and a taste that was learned from them, picks, rejections, projects, tags and an undo, and a placard."""
    put_samples(samples, archive.photos)
    await archive.imported()
    ids = [row["id"] for row in await archive.sql("SELECT id FROM photos WHERE preview IS NOT NULL ORDER BY id")]
    person = Connoisseur(archive.site)
    async with archive.site.services.sessions.begin() as session:
        await embeddings.choose(session, archive.site.services.settings)
    for id_ in ids:
        await person.embedded(id_)
    await person.rate(ids[:25])
    await person.train()
    await person.settle()
    await decide(archive, ids=ids[:5], user_rating=5, project="Îles")
    await decide(archive, ids=ids[3:8], action="reject")
    await decide(archive, ids=ids[5:7], tags=["kayak", 'with "quotes", a comma\nand a line'])
    await decide(archive, ids=ids[8:10], manual_match=True)
    batch = await decide(archive, ids=ids[10:12], user_rating=1)
    assert (await archive.site.client.post(f"/api/decisions/{batch}/undo", json={})).status_code == 200
    dropped = a_jpeg(archive.photos.parent / "dropped.jpg", seed=9).read_bytes()
    assert (await archive.site.client.post("/api/placards?name=dropped.jpg", content=dropped)).status_code == 202
    (project,) = await archive.sql("SELECT id FROM projects")
    assert (
        await archive.site.client.patch(f"/api/projects/{project['id']}", json={"name": "Isles"})
    ).status_code == 200


async def settled_taste(archive: Archive) -> Any:
    """What the page says once it has counted every score."""
    async with asyncio.timeout(60):
        while True:
            taste = (await archive.site.client.get("/api/taste")).json()
            if taste["rescored"] == taste["total"]:
                return taste
            await asyncio.sleep(0.05)


DECIDED = """
SELECT file_path, user_rating, manual_match, kept_at IS NOT NULL, rejected_at IS NOT NULL, tags, name
FROM photos LEFT JOIN projects ON projects.id = project_id ORDER BY file_path
"""


async def test_after_a_wipe_a_backup_brings_everything_back(safe: Safe, samples: Path) -> None:
    async with safe.opened() as archive:
        await decided_about_the_samples(archive, samples)
        taste = await settled_taste(archive)
        await DecisionLog(archive.site.services.sessions, safe.settings.decisions_file).catch_up()
    everything = await safe.everything()
    claims = safe.settings.claims_folder
    files = {path: path.read_bytes() for name in ("taste", "placards") for path in (claims / name).rglob("*.*")}
    backup = await asyncio.to_thread(safe.backed_up)
    await safe.wipe()

    said = await asyncio.to_thread(safe.keepers, "restore", backup)
    assert said.status == 0, said.err
    assert await safe.everything() == everything
    assert len(files) == 2
    assert {path: path.read_bytes() for path in files} == files
    async with safe.opened() as archive:
        assert await settled_taste(archive) == taste
        (project,) = await archive.sql("INSERT INTO projects (name) VALUES ('another') RETURNING id")
        assert project["id"] == 2, "numbers go on where they were"

    decided = await safe.sql(DECIDED)
    await safe.empty()
    async with safe.opened() as archive:
        await archive.scanned(await archive.start())  # files are found by their paths before they are read
        assert await safe.sql(DECIDED) != decided
        said = await asyncio.to_thread(safe.keepers, "replay")
        assert said.status == 0, said.out
        assert await safe.sql(DECIDED) == decided
        again = await asyncio.to_thread(safe.keepers, "replay")
        assert "0 photos changed" in again.out


def cut_short(backup: Path) -> None:
    backup.write_bytes(backup.read_bytes()[:-200])


def flipped(backup: Path) -> None:
    """One byte of a table is another one, as a bad disk leaves it."""
    with zipfile.ZipFile(backup) as file:
        info = file.getinfo("tables/photos.csv")
    at = info.header_offset + 100 + info.compress_size // 2
    data = bytearray(backup.read_bytes())
    data[at] ^= 0xFF
    backup.write_bytes(data)


def foreign(backup: Path) -> None:
    backup.write_bytes(b"\x89PNG\r\n not a backup of anything" * 40)


def a_zip_of_something_else(backup: Path) -> None:
    with zipfile.ZipFile(backup, "w") as file:
        file.writestr("holiday.txt", "sun")


def changed(**manifest: object) -> Callable[[Path], None]:
    def change(backup: Path) -> None:
        with zipfile.ZipFile(backup) as file:
            parts = {name: file.read(name) for name in file.namelist()}
        with zipfile.ZipFile(backup, "w") as file:
            for name, data in parts.items():
                said = {**json.loads(data), **manifest} if name == "manifest.json" else None
                file.writestr(name, json.dumps(said) if said else data)

    return change


def fewer_rows(backup: Path) -> None:
    with zipfile.ZipFile(backup) as file:
        tables = json.loads(file.read("manifest.json"))["tables"]
    photos = next(table for table in tables if table["table"] == "photos")
    photos["rows"] += 1
    changed(tables=tables)(backup)


SPOILT: tuple[tuple[Callable[[Path], None], str], ...] = (
    (cut_short, "was cut short, or damaged"),
    (flipped, "is damaged: tables/photos.csv is not what was written"),
    (foreign, "is no backup of Keepers"),
    (a_zip_of_something_else, "is a ZIP file, but no backup of Keepers"),
    (changed(form=2, version="3.0"), "was written by a newer Keepers (3.0). Update Keepers first."),
    (changed(revision="0099", version="2.1"), "was written by a newer Keepers (2.1). Update Keepers first."),
    (fewer_rows, "has not as many rows as it says"),
    (Path.unlink, "cannot be read: No such file or directory."),
)


async def test_what_is_not_a_whole_backup_changes_nothing(safe: Safe, tmp_path: Path) -> None:
    await an_archive(safe)
    backup = await asyncio.to_thread(safe.backed_up)
    everything = await safe.everything()
    for spoil, sentence in SPOILT:
        copy = shutil.copy(backup, tmp_path / "copy.zip")
        spoil(copy)
        said = await asyncio.to_thread(safe.keepers, "restore", copy)
        assert said.status == 1, sentence
        assert sentence in said.err
        assert "Traceback" not in said.err
    assert await safe.everything() == everything
    assert await safe.databases() == [safe.database]


async def test_a_dry_run_loads_all_of_a_backup_and_changes_nothing(safe: Safe) -> None:
    await an_archive(safe)
    backup = await asyncio.to_thread(safe.backed_up)
    async with safe.opened() as archive:
        await archive.sql("UPDATE photos SET user_rating = 5")
        said = await asyncio.to_thread(safe.keepers, "restore", backup, "--dry-run")
    assert (said.status, said.err) == (0, "")
    assert "3 photos and 0 decisions. Nothing was changed." in said.out
    assert await safe.sql("SELECT DISTINCT user_rating FROM photos") == [(5,)]
    assert await safe.databases() == [safe.database]


async def test_a_user_who_may_not_make_databases_is_told_what_it_takes(
    safe: Safe, monkeypatch: pytest.MonkeyPatch
) -> None:
    await an_archive(safe)
    backup = await asyncio.to_thread(safe.backed_up)
    await safe.sql("CREATE ROLE visitor LOGIN PASSWORD 'v'")
    monkeypatch.setenv("DATABASE_URL", re.sub("//.*@", "//visitor:v@", safe.url))
    refused = [await asyncio.to_thread(safe.keepers, "restore", backup)]
    await safe.sql("ALTER ROLE visitor CREATEDB")  # but the database is another's
    refused.append(await asyncio.to_thread(safe.keepers, "restore", backup))
    await safe.sql("ALTER ROLE visitor SET statement_timeout = 1")
    stopped = await asyncio.to_thread(safe.keepers, "restore", backup)
    await safe.sql("DROP ROLE visitor")
    for said in refused:
        assert said.status == 1
        assert "The user needs CREATEDB" in said.err
    assert stopped.status == 1
    assert stopped.err.startswith("The backup was not restored. PostgreSQL said: canceling statement")
    assert await safe.databases() == [safe.database]
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:9/keepers")
    for command in (["backup"], ["restore", backup]):
        said = await asyncio.to_thread(safe.keepers, *command)
        assert said.status == 1
        assert "PostgreSQL does not let Keepers in" in said.err
        assert "secret" not in said.err


async def test_nothing_is_restored_under_an_open_keepers(safe: Safe) -> None:
    await an_archive(safe)
    backup = await asyncio.to_thread(safe.backed_up)
    async with safe.opened():
        said = await asyncio.to_thread(safe.keepers, "restore", backup)
    assert said.status == 1
    assert "Stop it, then restore." in said.err
    assert await safe.databases() == [safe.database]


async def test_what_was_there_before_is_kept_until_the_next_restore(safe: Safe) -> None:
    await an_archive(safe)
    backup = await asyncio.to_thread(safe.backed_up)
    for rating in (4, 5):
        await safe.sql(f"UPDATE photos SET user_rating = {rating}")
        assert (await asyncio.to_thread(safe.keepers, "restore", backup)).status == 0
        assert await safe.sql("SELECT user_rating FROM photos ORDER BY id") == [(1,), (2,), (3,)]
        assert await safe.databases() == [safe.database, safe.before]
        assert await safe.sql("SELECT DISTINCT user_rating FROM photos", database=safe.before) == [(rating,)]


async def test_a_backup_is_private_and_says_what_is_in_it(safe: Safe) -> None:
    await an_archive(safe)
    backup = await asyncio.to_thread(safe.backed_up)
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert stat.S_IMODE(backup.parent.stat().st_mode) == 0o700
    with zipfile.ZipFile(backup) as file:
        assert {one.compress_type for one in file.infolist()} == {zipfile.ZIP_DEFLATED}
    said = await asyncio.to_thread(safe.keepers, "backup", "--list")
    assert str(backup) in said.out
    assert "3 photos" in said.out


async def test_a_full_disk_leaves_the_earlier_backups_alone(safe: Safe) -> None:
    """A limit on the size of files is what a full disk is to the one who writes."""
    await an_archive(safe)
    earlier = await asyncio.to_thread(safe.backed_up)
    await safe.sql(
        "INSERT INTO preferences SELECT 'p' || n, to_jsonb(sha512(n::text::bytea)) FROM generate_series(1, 9999) n"
    )
    command = "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
    command += "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000));"
    command += "from orchestrator.__main__ import main; sys.exit(main(['backup']))"
    ended = await asyncio.create_subprocess_exec(sys.executable, "-c", command, stderr=asyncio.subprocess.PIPE)
    _, err = await ended.communicate()
    assert ended.returncode == 1
    assert "No backup could be written" in err.decode()
    assert "Traceback" not in err.decode()
    assert safe.backups == [earlier]


async def test_a_named_folder_that_is_away_is_not_made_anew(safe: Safe, monkeypatch: pytest.MonkeyPatch) -> None:
    away = safe.settings.keepers_home / "drive" / "keepers"
    monkeypatch.setenv("BACKUP_FOLDER", str(away))
    said = await asyncio.to_thread(safe.keepers, "backup")
    assert (said.status, away.exists()) == (1, False)
    assert "Connect its drive, or change BACKUP_FOLDER." in said.err


async def test_the_page_makes_one_and_says_how_it_went(safe: Safe) -> None:
    await an_archive(safe)
    async with safe.opened() as archive:
        client = archive.site.client
        begun = await client.post("/api/backups")
        assert (begun.status_code, begun.json()["is_running"]) == (202, True)
        seen = await made(client)
        assert [(one["why"], one["photos"], one["problem"]) for one in seen["items"]] == [("asked", 3, None)]
        assert seen["problem"] is None
        lock = await writing.begin(safe.url)
        refused = await client.post("/api/backups")
        await lock.close()
        assert refused.status_code == 409
        assert refused.json()["error"]["message"] == "A backup is being written already."


async def made(client: httpx.AsyncClient) -> dict[str, Any]:
    """What the page says once no backup is being made."""
    deadline = time.monotonic() + SECONDS
    while (seen := (await client.get("/api/backups")).json())["is_running"]:
        assert time.monotonic() < deadline, seen
        await asyncio.sleep(0.02)
    return cast(dict[str, Any], seen)
