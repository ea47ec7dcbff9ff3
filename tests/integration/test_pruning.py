"""`keepers prune`: what goes, what stays, and that a dry run changes nothing."""

import os
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from orchestrator.__main__ import main
from orchestrator.models import PhotoVector
from orchestrator.pruning.command import Options, carry_out
from orchestrator.pruning.pruned import Pruned
from shared.contracts.embed import DIMENSIONS
from tests import factories
from tests.archive import Archive
from tests.stack import a_jpeg

TWO_MONTHS_SECONDS = 60 * 24 * 3600.0


async def pruned(archive: Archive, **options: Any) -> dict[str, Pruned]:
    url = archive.settings.database_url
    assert url is not None
    return {one.name: one for one in await carry_out(archive.settings, url, Options(**options))}


def aged(path: Path, seconds: float = TWO_MONTHS_SECONDS) -> Path:
    os.utime(path, times=(time.time() - seconds,) * 2)
    return path


async def some_failures(archive: Archive) -> None:
    """One resolved and one open letter with their logs, all old, and one of each that is new."""
    async with archive.site.services.sessions.begin() as session:
        root = await factories.a_root(session)
        for state in ("resolved", "open"):
            run = uuid.uuid4()
            photo = await factories.a_photo(session, root, f"{state}.jpg")
            await factories.a_dead_letter(session, photo, run_id=run, state=state)
            await factories.a_failure(session, photo, run_id=run)
        await session.execute(text("UPDATE dead_letters SET last_at = now() - interval '60 days'"))
        await session.execute(text("UPDATE error_logs SET created_at = now() - interval '60 days'"))
        new = await factories.a_photo(session, root, "new.jpg")
        await factories.a_dead_letter(session, new, state="resolved")
        await factories.a_failure(session, new)


async def test_settled_failures_that_are_old_go_and_open_ones_stay_with_their_attempts(archive: Archive) -> None:
    await some_failures(archive)
    would = await pruned(archive, is_dry=True)
    assert (would["dead letters"].count, len(await archive.sql("SELECT 1 FROM dead_letters"))) == (1, 3)
    assert (await pruned(archive))["dead letters"] == would["dead letters"]
    assert (await pruned(archive))["error logs"].count == 0
    left = await archive.sql("SELECT state, file_name FROM dead_letters JOIN photos ON photos.id = photo_id")
    assert {(row["state"], row["file_name"]) for row in left} == {("open", "open.jpg"), ("resolved", "new.jpg")}
    logs = await archive.sql("SELECT file_name FROM error_logs JOIN photos ON photos.id = photo_id")
    assert {row["file_name"] for row in logs} == {"open.jpg", "new.jpg"}


async def test_logs_of_earlier_starts_go_when_they_are_old(archive: Archive) -> None:
    folder = archive.settings.keepers_home / "log"
    folder.mkdir(parents=True)
    for name in ("workers.log", "workers.log.1", "workers.log.2"):
        (folder / name).write_text("words")
        aged(folder / name)
    aged(folder / "workers.log.1", seconds=60)
    found = await pruned(archive, is_dry=True)
    assert found["logs"] == Pruned("logs", 1, 5) == (await pruned(archive))["logs"]
    assert sorted(path.name for path in folder.iterdir()) == ["workers.log", "workers.log.1"]


async def test_versions_of_the_taste_keep_their_files_when_they_are_new_or_in_force(archive: Archive) -> None:
    for version in range(1, 6):
        archive.site.claims.put(f"taste/{version}.npz", b"weights")
        await archive.sql(
            "INSERT INTO taste_models (version, state, embedding_model, read_seq, artifact)"
            " VALUES (:version, 'ready', 'starter', 0, :artifact)",
            version=version, artifact=f"taste/{version}.npz",
        )  # fmt: skip
    await archive.sql("UPDATE taste_state SET version = 1, activation = 1")
    assert (await pruned(archive, versions=2, is_dry=True))["taste versions"] == Pruned("taste versions", 2, 14)
    assert (await pruned(archive, versions=2))["taste versions"] == Pruned("taste versions", 2, 14)
    assert [archive.site.claims.verify(f"taste/{v}.npz") for v in range(1, 6)] == [True, False, False, True, True]
    states = await archive.sql("SELECT version, state FROM taste_models ORDER BY version")
    assert [row["state"] for row in states] == ["ready", "broken", "broken", "ready", "ready"]
    assert (await pruned(archive, versions=2))["taste versions"].count == 0
    await archive.sql("INSERT INTO embedding_models (name, state) VALUES ('starter', 'current')")
    answer = await archive.site.client.post("/api/taste/2/activate")
    assert (answer.status_code, answer.json()["error"]["type"]) == (409, "model_broken")


async def test_versions_that_the_page_offers_stay_unless_fewer_are_asked_for(archive: Archive) -> None:
    await archive.sql("INSERT INTO embedding_models (name, state) VALUES ('starter', 'current')")
    for version in range(1, 54):
        archive.site.claims.put(f"taste/{version}.npz", b"weights")
        state = "broken" if version in (2, 52) else "ready"
        await archive.sql(
            "INSERT INTO taste_models (version, state, embedding_model, read_seq, artifact)"
            " VALUES (:version, :state, 'starter', 0, :artifact)",
            version=version, state=state, artifact=f"taste/{version}.npz",
        )  # fmt: skip
    offered = (await archive.site.client.get("/api/taste")).json()["versions"]
    assert (await pruned(archive))["taste versions"].count == 2
    assert all(archive.site.claims.verify(f"taste/{one['version']}.npz") for one in offered)
    assert not archive.site.claims.verify("taste/2.npz")


async def test_vectors_of_retired_models_go_and_those_in_use_stay(archive: Archive) -> None:
    async with archive.site.services.sessions.begin() as session:
        root = await factories.a_root(session)
        photos = [await factories.a_photo(session, root, f"{n}.jpg") for n in range(3)]
        for photo in photos:
            for model in ("old", "forgotten", "learned", "starter", "clip"):
                session.add(PhotoVector(photo_id=photo.id, model=model, vector=[0.5] * DIMENSIONS))
    assert (await pruned(archive))["old vectors"].count == 0, "without a model in use nobody knows"
    await archive.sql(
        "INSERT INTO embedding_models (name, state)"
        " VALUES ('old', 'retired'), ('learned', 'retired'), ('starter', 'current'), ('clip', 'building')"
    )
    await archive.sql(
        "INSERT INTO taste_models (version, state, embedding_model, read_seq) VALUES (1, 'ready', 'learned', 0)"
    )
    await archive.sql("UPDATE taste_state SET version = 1")
    would = (await pruned(archive, is_dry=True))["old vectors"]
    assert would.count == 6
    assert would.bytes > 6 * 2 * DIMENSIONS
    assert len(await archive.sql("SELECT 1 FROM photo_vectors")) == 15
    assert (await pruned(archive))["old vectors"] == would
    left = await archive.sql("SELECT model, count(*) AS n FROM photo_vectors GROUP BY model ORDER BY model")
    assert [(row["model"], row["n"]) for row in left] == [("clip", 3), ("learned", 3), ("starter", 3)]


async def test_orphaned_files_go_once_they_were_known_for_a_day(archive: Archive) -> None:
    a_jpeg(archive.photos / "a.jpg", seed=1, size=(64, 48))
    await archive.imported()
    kept = await archive.photo()
    for path in archive.settings.claims_folder.rglob("*.jpg"):
        aged(path)
    orphan = archive.site.claims.put(f"previews/ab/{'ab' * 32}-r1.jpg", b"nobody's")
    aged(archive.settings.claims_folder / orphan)
    would = await pruned(archive, is_dry=True)
    assert (would["orphaned files"].count, would["orphaned files"].later) == (0, 1)
    assert await archive.sql("SELECT 1 FROM orphan_candidates") == []
    await pruned(archive)
    await archive.sql("UPDATE orphan_candidates SET since = now() - interval '2 days'")
    assert (await pruned(archive, is_dry=True))["orphaned files"] == Pruned("orphaned files", 1, 8)
    assert archive.site.claims.verify(orphan)
    assert (await pruned(archive))["orphaned files"] == Pruned("orphaned files", 1, 8)
    assert not archive.site.claims.verify(orphan)
    assert archive.site.claims.verify(kept["preview"])
    await archive.check_books()


def test_the_command_says_how_much_went(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KEEPERS_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database_url)
    (tmp_path / "log").mkdir()
    old = tmp_path / "log" / "postgres.log.3"
    old.write_text("x" * 2_000_000)
    aged(old)
    assert main(["prune", "--dry-run"]) == 0
    assert capsys.readouterr().out.endswith("1 would be removed, 2 MB.\n")
    assert main(["prune", "--days", "7"]) == 0
    assert capsys.readouterr().out.endswith("1 removed, 2 MB.\n")
    assert not old.exists()
