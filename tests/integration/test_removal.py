"""Taking photos out of Keepers: they leave a tombstone, and come back whole."""

import shutil
import uuid
from pathlib import Path
from typing import Any

from orchestrator.models import Photo
from orchestrator.removal.vectors import Forgetting
from tests import factories
from tests.archive import Archive, sweep
from tests.stack import a_jpeg


async def remove(archive: Archive, **which: Any) -> dict[str, Any]:
    answer = await archive.site.client.post("/api/removals", json=which)
    assert answer.status_code == 200, answer.text
    done: dict[str, Any] = answer.json()
    return done


async def undo(archive: Archive, removal: str) -> dict[str, Any]:
    done: dict[str, Any] = (await archive.site.client.post(f"/api/removals/{removal}/undo")).raise_for_status().json()
    return done


async def two_photos(archive: Archive) -> list[int]:
    for n in (1, 2):
        a_jpeg(archive.photos / f"{n}.jpg", seed=n)
    await archive.imported()
    return [row["id"] for row in await archive.sql("SELECT id FROM photos ORDER BY file_name")]


async def decide(archive: Archive, *ids: int, **wish: Any) -> None:
    (await archive.site.client.post("/api/decisions", json={"ids": ids, **wish})).raise_for_status()


async def pictures(archive: Archive, photo_id: int) -> int:
    """The status of its preview."""
    return (await archive.site.client.get(f"/photos/{photo_id}/preview.jpg")).status_code


async def asked_trainings(archive: Archive) -> int:
    (row,) = await archive.sql("SELECT requested_seq FROM taste_state")
    return int(row["requested_seq"])


async def test_what_a_removal_frees_is_told_before_anything_is_removed(archive: Archive) -> None:
    one, _ = await two_photos(archive)
    photo = (await archive.sql("SELECT preview, thumbnail FROM photos WHERE id = :id", id=one))[0]
    size = sum(archive.site.claims.path(claim).stat().st_size for claim in photo.values())
    told = await remove(archive, ids=[one], dry_run=True)
    assert (told["count"], told["bytes"], told["removal"]) == (1, size, None)
    assert told["message"] == f"Remove 1 photo from Keepers: frees {round(size / 1000)} KB of previews, originals stay."
    assert await pictures(archive, one) == 200


async def test_a_removed_photo_is_nowhere_and_its_original_stays(archive: Archive) -> None:
    one, two = await two_photos(archive)
    done = await remove(archive, ids=[one])
    assert (done["count"], done["message"]) == (1, "1 photo removed from Keepers. The originals stay.")
    assert done["removal"]
    client = archive.site.client
    for address in (
        f"/api/photos/{one}",
        f"/api/photos/{one}/why",
        f"/api/photos/{one}/history",
        f"/photos/{one}/preview.jpg",
        f"/photos/{one}/thumbnail.jpg",
    ):
        assert (await client.get(address)).status_code == 404, address
    assert [item["id"] for item in (await client.get("/api/photos")).json()["items"]] == [two]
    assert (await client.get("/api/photos/counts")).json()["all"] == 1
    assert (archive.photos / "1.jpg").exists()
    await archive.check_books()


async def test_an_undone_removal_gives_back_all_there_was(archive: Archive) -> None:
    one, _ = await two_photos(archive)
    await decide(archive, one, user_rating=4, tags=["ice"], project="Iceland")
    before = await archive.sql("SELECT * FROM photos ORDER BY id")
    trainings = await asked_trainings(archive)
    done = await remove(archive, ids=[one])
    assert await asked_trainings(archive) == trainings + 1, "a rated photo went"
    back = await undo(archive, done["removal"])
    assert (back["count"], back["message"]) == (1, "1 photo brought back.")
    after = await archive.sql("SELECT * FROM photos ORDER BY id")
    assert [{**row, "removal": None} for row in after] == before  # which it can be removed by again
    assert await pictures(archive, one) == 200
    assert await asked_trainings(archive) == trainings + 2
    assert archive.converted == 2, "nothing was made again"
    assert (await undo(archive, done["removal"]))["message"] == "Nothing was brought back: it was brought back before."
    await sweep(archive, older_than_seconds=0)
    assert await pictures(archive, one) == 200
    await archive.check_books()


async def test_pictures_that_the_sweep_took_are_made_again(archive: Archive) -> None:
    one, two = await two_photos(archive)
    await decide(archive, one, user_rating=4)
    done = await remove(archive, ids=[one])
    await sweep(archive)
    kept = list(archive.settings.claims_folder.rglob("*.jpg"))
    await sweep(archive, older_than_seconds=0)
    assert len(list(archive.settings.claims_folder.rglob("*.jpg"))) == len(kept) - 2
    assert await pictures(archive, two) == 200
    await undo(archive, done["removal"])
    await archive.work()
    assert await pictures(archive, one) == 200
    (row,) = await archive.sql("SELECT user_rating, deleted_at FROM photos WHERE id = :id", id=one)
    assert (row["user_rating"], row["deleted_at"]) == (4, None)
    await archive.check_books()


async def test_no_import_brings_a_removed_photo_back_unless_it_is_asked_to(archive: Archive, tmp_path: Path) -> None:
    one, _ = await two_photos(archive)
    await decide(archive, one, user_rating=5)
    await decide(archive, one, action="reject")
    await remove(archive, ids=[one])
    await sweep(archive, older_than_seconds=0)
    shutil.copyfile(archive.photos / "1.jpg", archive.photos / "copy.jpg")
    again = await archive.imported()
    assert (await archive.items(again["id"]))["1.jpg"] == ("skipped", "removed before")
    assert (await archive.items(again["id"]))["copy.jpg"] == ("skipped", "removed before")
    assert again["removed"] == 1, "photos, not files"
    answer = await archive.site.client.post(f"/api/imports/{again['id']}/anyway")
    assert (answer.status_code, answer.json()["pending"], answer.json()["removed"]) == (200, 2, 0)
    await archive.work()
    seen = await archive.progress(again["id"])
    assert (seen["state"], seen["done"], seen["removed"]) == ("done", 2, 0)
    (row,) = await archive.sql("SELECT user_rating, rejected_at, deleted_at FROM photos WHERE id = :id", id=one)
    assert (row["user_rating"], row["rejected_at"] is None, row["deleted_at"]) == (5, False, None)
    assert await pictures(archive, one) == 200
    await archive.check_books()


async def test_an_import_that_met_nothing_removed_has_nothing_to_bring_back(archive: Archive) -> None:
    await two_photos(archive)
    (job,) = await archive.sql("SELECT id FROM imports")
    answer = await archive.site.client.post(f"/api/imports/{job['id']}/anyway")
    assert (answer.status_code, answer.json()["done"]) == (200, 2)
    assert (await archive.site.client.post("/api/imports/123456/anyway")).status_code == 404


async def test_a_photo_that_is_removed_before_it_is_converted_is_not_begun(archive: Archive) -> None:
    a_jpeg(archive.photos / "1.jpg", seed=1)
    import_id = await archive.start()
    await archive.scanned(import_id)
    done = await remove(archive, ids=[(await archive.photo())["id"]])
    assert await archive.queued() == []
    assert (await archive.progress(import_id))["state"] == "done"
    await undo(archive, done["removal"])
    assert (await archive.progress(import_id))["pending"] == 1
    await archive.work()
    assert (await archive.progress(import_id))["done"] == 1
    assert (await archive.photo())["preview"]
    await archive.check_books()


async def test_vectors_go_later_and_are_asked_for_when_the_photo_is_back(archive: Archive) -> None:
    one, two = await two_photos(archive)
    await archive.sql("INSERT INTO embedding_models (name, state) VALUES ('starter', 'current')")
    await archive.sql(
        "INSERT INTO photo_vectors (photo_id, model, vector)"
        " SELECT id, 'starter', CAST(array_fill(0.1, ARRAY[768]) AS halfvec) FROM photos"
    )
    await archive.sql("DELETE FROM stage_runs WHERE stage = 'embed'")
    done = await remove(archive, ids=[one])
    async with archive.site.services.sessions.begin() as session:
        await Forgetting()(session)
    assert len(await archive.sql("SELECT 1 FROM photo_vectors")) == 2, "not a day old"
    async with archive.site.services.sessions.begin() as session:
        await Forgetting(older_than_seconds=0)(session)
    assert await archive.sql("SELECT photo_id FROM photo_vectors") == [{"photo_id": two}]
    await undo(archive, done["removal"])
    runs = await archive.sql("SELECT photo_id, state FROM stage_runs WHERE stage = 'embed'")
    assert runs == [{"photo_id": one, "state": "queued"}]


async def test_what_went_wrong_with_a_removed_photo_is_no_problem_any_more(archive: Archive) -> None:
    (archive.photos / "broken.jpg").write_bytes(b"no picture")
    await archive.imported()
    photo = await archive.photo()
    async with archive.site.services.sessions.begin() as session:
        await factories.a_dead_letter(session, await session.get(Photo, photo["id"]))
    done = await remove(archive, ids=[photo["id"]])
    client = archive.site.client
    assert (await client.get("/api/dead-letters")).json()["items"] == []
    assert (await client.get("/api/photos", params={"filter": "failed"})).json()["items"] == []
    assert await archive.sql("SELECT 1 FROM stage_runs WHERE state = 'failed'") == []
    await undo(archive, done["removal"])
    assert len(await archive.queued()) == 1, "it is tried again"
    await archive.check_books()


async def test_a_burst_goes_on_with_the_frames_that_are_left(archive: Archive) -> None:
    one, two = await two_photos(archive)
    await archive.sql(
        "INSERT INTO bursts (id, kind, best_id, size, started_at) VALUES (7, 'burst', :best, 2, now())", best=one
    )
    await archive.sql("UPDATE photos SET burst_id = 7")
    done = await remove(archive, ids=[one])
    assert await archive.sql("SELECT size, best_id FROM bursts") == [{"size": 1, "best_id": two}]
    await undo(archive, done["removal"])
    assert (await archive.sql("SELECT size FROM bursts")) == [{"size": 2}]


async def test_a_selection_is_removed_but_for_its_exceptions(archive: Archive) -> None:
    one, two = await two_photos(archive)
    await decide(archive, one, two, action="reject")
    wish = {"selection": {"filter": "rejected"}, "except": [two]}
    assert (await remove(archive, **wish, dry_run=True))["count"] == 1
    assert (await remove(archive, **wish))["count"] == 1
    assert await archive.sql("SELECT id FROM photos WHERE deleted_at IS NULL") == [{"id": two}]
    nothing = await remove(archive, **wish)
    assert (nothing["count"], nothing["removal"]) == (0, None)
    assert nothing["message"] == "Nothing is removed: no photo is selected."


async def test_an_undone_removal_is_done_again_about_the_same_photos(archive: Archive) -> None:
    one, two = await two_photos(archive)
    await decide(archive, one, action="reject")
    done = await remove(archive, selection={"filter": "rejected"})
    await undo(archive, done["removal"])
    await decide(archive, two, action="reject")  # the selection holds another one too by now
    for _ in range(2):  # when no answer came, it is sent once more
        again = (await archive.site.client.post(f"/api/removals/{done['removal']}/again")).raise_for_status().json()
        assert (again["count"], again["removal"]) == (1, done["removal"])
    assert await archive.sql("SELECT id FROM photos WHERE deleted_at IS NULL") == [{"id": two}]
    assert (await undo(archive, done["removal"]))["count"] == 1
    never = (await archive.site.client.post(f"/api/removals/{uuid.uuid4()}/again")).json()
    assert (never["count"], never["removal"]) == (0, None)


async def test_a_removal_sent_twice_removes_once_and_an_unknown_photo_is_not_found(archive: Archive) -> None:
    one, two = await two_photos(archive)
    removal = str(uuid.uuid4())
    first = await remove(archive, ids=[one], removal=removal)
    again = await remove(archive, ids=[one], removal=removal)
    assert (again["count"], again["removal"]) == (first["count"], first["removal"]) == (1, removal)
    answer = await archive.site.client.post("/api/removals", json={"ids": [one]})
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "unknown_photo")
    decided = await archive.site.client.post("/api/decisions", json={"ids": [one, two], "user_rating": 3})
    assert decided.json()["count"] == 1
    assert await archive.sql("SELECT 1 FROM rating_events WHERE photo_id = :id", id=one) == []
