"""What was decided about a photo is still true after its file was renamed, rewritten, or found to be another's."""

import asyncio
from typing import Any

from orchestrator.review import service
from orchestrator.review.service import Change
from tests.archive import Archive, a_pair, with_new_metadata
from tests.stack import a_jpeg

EVERYTHING = {"user_rating": 4, "manual_match": True, "project": "Iceland", "tags": ["ice"]}


async def decide(archive: Archive, photo_id: int, **fields: Any) -> str:
    answer = await archive.site.client.patch(f"/api/photos/{photo_id}", json=fields)
    return str(answer.raise_for_status().json()["undo"])


async def undo(archive: Archive, batch: str) -> list[dict[str, Any]]:
    answer = await archive.site.client.post(f"/api/decisions/{batch}/undo")
    items: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
    return items


async def decided(archive: Archive) -> dict[str, Any]:
    """What the person said about the only photo."""
    names = ("user_rating", "manual_match", "kept_at", "rejected_at", "project_id", "tags")
    photo = await archive.photo()
    return {name: photo[name] for name in names}


async def a_raw_apart_from_its_jpeg(archive: Archive) -> tuple[dict[str, int], Any]:
    """Two photos by their formats, and what makes them one: the RAW moves beside its JPEG."""
    raw, _ = a_pair(archive.photos)
    (archive.photos / "raws").mkdir()
    apart = raw.rename(archive.photos / "raws" / raw.name)
    await archive.imported()
    rows = await archive.sql("SELECT id, format FROM photos")
    return {row["format"]: row["id"] for row in rows}, lambda: apart.rename(raw)


async def test_decisions_outlive_a_rename_changed_bytes_and_a_rescan(archive: Archive) -> None:
    file = a_jpeg(archive.photos / "a.jpg", seed=1)
    await archive.imported()
    photo_id = int((await archive.photo())["id"])
    batch = await decide(archive, photo_id, **EVERYTHING)
    before = await decided(archive)
    file = file.rename(archive.photos / "b.jpg")
    await archive.imported()
    with_new_metadata(file, "A. Photographer")
    await archive.imported()
    assert archive.converted == 2
    assert await decided(archive) == before
    (item,) = await undo(archive, batch)
    assert (item["id"], item["user_rating"], item["manual_match"], item["kept"]) == (photo_id, None, False, False)


async def test_a_photo_that_joins_another_brings_its_decisions_and_their_undo(archive: Archive) -> None:
    ids, become_one = await a_raw_apart_from_its_jpeg(archive)
    batch = await decide(archive, ids["JPEG"], **EVERYTHING)
    become_one()
    await archive.imported()
    photo = await archive.photo()
    assert (photo["id"], photo["user_rating"], photo["manual_match"]) == (ids["DNG"], 4, True)
    assert (photo["tags"], photo["kept_at"] is not None) == (["ice"], True)
    history = (await archive.site.client.get(f"/api/photos/{ids['DNG']}/history")).json()["items"]
    assert [event["batch"] for event in history] == [batch]
    (item,) = await undo(archive, batch)
    assert (item["id"], item["user_rating"], item["project"]) == (ids["DNG"], None, None)


async def test_a_rating_that_is_committed_while_an_import_joins_two_photos_is_kept(archive: Archive) -> None:
    ids, become_one = await a_raw_apart_from_its_jpeg(archive)
    async with archive.site.session() as session:
        # Decided, but not committed: the import has to wait for this photo.
        await service.decide(session, [Change(ids["JPEG"], {"user_rating": 5})])
        become_one()
        import_id = await archive.start()
        await archive.until(
            bool, "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        await session.commit()
    await archive.scanned(import_id)
    await archive.work()
    photo = await archive.photo()
    assert (photo["id"], photo["user_rating"]) == (ids["DNG"], 5)
    assert await archive.sql("SELECT photo_id FROM rating_events") == [{"photo_id": ids["DNG"]}]
    await archive.check_books()


async def test_a_rating_that_comes_after_an_import_has_joined_two_photos_is_about_the_one_they_are(
    archive: Archive,
) -> None:
    ids, become_one = await a_raw_apart_from_its_jpeg(archive)
    become_one()
    await archive.imported()
    answer = await archive.site.client.patch(f"/api/photos/{ids['JPEG']}", json={"user_rating": 5})
    assert [item["id"] for item in answer.json()["items"]] == [ids["DNG"]]
    assert (await archive.photo())["user_rating"] == 5
    assert (await archive.site.client.patch("/api/photos/999999", json={"user_rating": 5})).status_code == 404


async def test_ratings_while_imports_join_photos_end_in_order(archive: Archive) -> None:
    """Nobody waits for another in a circle, whichever comes first."""
    ids, become_one = await a_raw_apart_from_its_jpeg(archive)

    async def rate_both(stars: int) -> int:
        wish = {"ids": list(ids.values()), "user_rating": stars}
        return (await archive.site.client.post("/api/decisions", json=wish)).status_code

    become_one()
    import_id, *statuses = await asyncio.gather(archive.start(), *(rate_both(stars) for stars in (1, 2, 3, 4, 5)))
    await archive.scanned(import_id)
    await archive.work()
    assert set(statuses) == {200}
    photo = await archive.photo()
    events = await archive.sql("SELECT after FROM rating_events WHERE photo_id = :id ORDER BY id", id=photo["id"])
    assert photo["user_rating"] in range(1, 6)
    assert len(events) >= 5
    await archive.check_books()
