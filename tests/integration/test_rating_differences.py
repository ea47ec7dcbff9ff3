"""Where a file says another rating than the person said here."""

import shutil
from pathlib import Path

import pytest

from orchestrator.review.service import Change, decide
from tests.archive import Archive, a_pair
from tests.ratings_in_files import a_photo, a_sidecar, act, check_counts, conflicts, rate, said, settle


async def test_where_the_person_said_otherwise_both_are_listed(archive: Archive) -> None:
    a_photo(archive)
    a_sidecar(archive, "a.xmp", 4)
    await archive.imported()
    await rate(archive, user_rating=2)
    a_sidecar(archive, "a.xmp", 5)
    seen = await archive.imported()
    assert (await said(archive), await conflicts(archive), seen["conflicts"]) == ({"a.jpg": 2}, [("a.jpg", 2, 5)], 1)
    (one,) = (await archive.site.client.get("/api/rating-conflicts")).json()["items"]
    assert one["file_path"] == str(archive.photos / "a.xmp")


async def test_a_sidecar_that_appears_later_is_applied_or_listed(archive: Archive) -> None:
    a_photo(archive, "a.jpg", 1)
    await archive.imported()
    await rate(archive, user_rating=3)
    a_photo(archive, "b.jpg", 2)
    await archive.imported()
    for name in ("a.xmp", "b.xmp"):
        a_sidecar(archive, name, 5)
    await archive.imported()
    assert (await said(archive), await conflicts(archive)) == ({"a.jpg": 3, "b.jpg": 5}, [("a.jpg", 3, 5)])


async def test_ours_stays_until_the_file_says_something_new(archive: Archive) -> None:
    a_photo(archive)
    await archive.imported()
    await rate(archive, user_rating=2)
    a_sidecar(archive, "a.xmp", 5)
    await archive.imported()
    assert await settle(archive, "ours") == {"changed": 0, "undo": None}
    a_sidecar(archive, "a.xmp", 5)
    await archive.imported()
    assert (await said(archive), await conflicts(archive)) == ({"a.jpg": 2}, [])
    a_sidecar(archive, "a.xmp", 4)
    await archive.imported()
    assert (await said(archive), await conflicts(archive)) == ({"a.jpg": 2}, [("a.jpg", 2, 4)])


async def test_theirs_is_taken_followed_and_undone(archive: Archive) -> None:
    a_photo(archive)
    await archive.imported()
    await rate(archive, user_rating=2)
    a_sidecar(archive, "a.xmp", 5)
    await archive.imported()
    settled = await settle(archive, "theirs")
    assert (settled["changed"], await said(archive), await conflicts(archive)) == (1, {"a.jpg": 5}, [])
    a_sidecar(archive, "a.xmp", 4)
    await archive.imported()
    assert (await said(archive), await conflicts(archive)) == ({"a.jpg": 4}, [])
    (last,) = await archive.sql("SELECT batch FROM rating_events ORDER BY id DESC LIMIT 1")
    assert (await archive.site.client.post(f"/api/decisions/{last['batch']}/undo")).status_code == 200
    a_sidecar(archive, "a.xmp", 3)
    await archive.imported()
    assert (await said(archive), await conflicts(archive)) == ({"a.jpg": 5}, [("a.jpg", 5, 3)])


async def test_who_is_deciding_while_a_sidecar_is_applied_is_heard_first(archive: Archive) -> None:
    a_photo(archive)
    await archive.imported()
    photo = await archive.photo()
    a_sidecar(archive, "a.xmp", 5)
    async with archive.site.services.sessions.begin() as deciding:
        await decide(deciding, [Change(photo["id"], {"user_rating": 1})])
        import_id = await archive.start()
        waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        await archive.until(len, waiting)
    await archive.scanned(import_id)
    assert (await said(archive), await conflicts(archive)) == ({"a.jpg": 1}, [("a.jpg", 1, 5)])


async def test_all_differences_are_settled_at_once(archive: Archive) -> None:
    for number in range(4):
        a_photo(archive, f"{number}.jpg", number)
    await archive.imported()
    ids = [row["id"] for row in await archive.sql("SELECT id FROM photos")]
    await archive.site.client.post("/api/decisions", json={"ids": ids, "user_rating": 1})
    for number in range(4):
        a_sidecar(archive, f"{number}.xmp", number + 2)
    await archive.imported()
    assert len(await conflicts(archive)) == 4
    answer = await archive.site.client.post("/api/rating-conflicts", json={"choice": "theirs"})
    assert (answer.json()["changed"], await conflicts(archive)) == (4, [])
    assert await said(archive) == {f"{number}.jpg": number + 2 for number in range(4)}


async def test_a_difference_that_is_gone_is_refused_with_a_sentence(archive: Archive) -> None:
    assert (await archive.site.client.post("/api/rating-conflicts/7", json={"choice": "ours"})).status_code == 404
    a_photo(archive)
    await archive.imported()
    await rate(archive, user_rating=2)
    a_sidecar(archive, "a.xmp", 5)
    await archive.imported()
    (row,) = await archive.sql("SELECT id FROM rating_conflicts")
    await settle(archive, "ours")
    again = await archive.site.client.post(f"/api/rating-conflicts/{row['id']}", json={"choice": "theirs"})
    assert (again.status_code, again.json()["error"]["type"]) == (409, "conflict_settled")
    assert (await archive.site.client.post("/api/rating-conflicts", json={"choice": "mine"})).status_code == 422


async def test_coming_to_the_same_rating_ends_the_difference(archive: Archive) -> None:
    a_photo(archive)
    await archive.imported()
    await rate(archive, user_rating=2)
    a_sidecar(archive, "a.xmp", 5)
    assert (await archive.imported())["conflicts"] == 1
    await rate(archive, user_rating=5)
    assert await conflicts(archive) == []
    await rate(archive, user_rating=2)
    a_sidecar(archive, "a.xmp", 2)
    assert (await archive.imported())["conflicts"] == 0
    assert await archive.sql("SELECT 1 FROM rating_conflicts") == []


async def test_a_rating_changed_here_is_no_difference_while_the_file_says_what_it_said(archive: Archive) -> None:
    a_photo(archive)
    a_sidecar(archive, "a.xmp", 4)
    await archive.imported()
    await rate(archive, user_rating=2)
    a_sidecar(archive, "a.xmp", 4)  # rewritten for another reason
    await archive.imported()
    assert (await said(archive), await conflicts(archive)) == ({"a.jpg": 2}, [])


async def test_a_rating_cleared_here_does_not_come_back(archive: Archive) -> None:
    a_photo(archive)
    a_sidecar(archive, "a.xmp", 4)
    await archive.imported()
    await rate(archive, user_rating=None)
    a_sidecar(archive, "a.xmp", 5)
    await archive.imported()
    assert (await said(archive), await conflicts(archive)) == ({"a.jpg": None}, [("a.jpg", None, 5)])


async def test_a_photo_rejected_here_is_not_brought_back(archive: Archive) -> None:
    a_photo(archive)
    await archive.imported()
    await act(archive, "reject")
    a_sidecar(archive, "a.xmp", 5)
    await archive.imported()
    assert (await said(archive), await conflicts(archive)) == ({"a.jpg": -1}, [("a.jpg", -1, 5)])


async def test_a_photo_kept_here_is_not_rejected_by_a_file_but_may_get_stars(archive: Archive) -> None:
    a_photo(archive)
    await archive.imported()
    await act(archive, "keep")
    a_sidecar(archive, "a.xmp", -1)
    await archive.imported()
    assert (await said(archive), await conflicts(archive)) == ({"a.jpg": None}, [("a.jpg", None, -1)])
    a_sidecar(archive, "a.xmp", 3)
    await archive.imported()
    assert (await said(archive), await conflicts(archive)) == ({"a.jpg": 3}, [])


async def test_a_removed_photo_is_left_in_peace(archive: Archive) -> None:
    a_photo(archive)
    await archive.imported()
    await archive.sql("UPDATE photos SET deleted_at = now()")
    a_sidecar(archive, "a.xmp", 5)
    assert (await archive.imported())["skipped"] == 1
    assert (await said(archive), await conflicts(archive)) == ({"a.jpg": None}, [])


async def test_a_copy_with_a_sidecar_rates_the_photo_it_is_a_copy_of(archive: Archive) -> None:
    photo = a_photo(archive)
    await archive.imported()
    shutil.copy2(photo, archive.photos / "b.jpg")
    a_sidecar(archive, "b.xmp", 4)
    await archive.imported()
    assert await said(archive) == {"a.jpg": 4}
    await check_counts(archive)


@pytest.mark.parametrize("ours", [None, 5, -1])
async def test_two_copies_in_one_import_are_one_photo_with_one_rating(archive: Archive, ours: int | None) -> None:
    photo = a_photo(archive)
    shutil.copy2(photo, archive.photos / "b.jpg")
    a_sidecar(archive, "b.xmp", 4)
    await archive.scanned(await archive.start())
    if ours is not None:
        (first,) = await archive.sql("SELECT id FROM photos WHERE file_name = 'a.jpg'")
        address = f"/api/photos/{first['id']}"
        if ours == -1:
            await archive.site.client.post(f"{address}/reject")
        else:
            await archive.site.client.patch(address, json={"user_rating": ours})
    await archive.work()
    assert await said(archive) == {"a.jpg": 4 if ours is None else ours}
    assert await conflicts(archive) == ([] if ours is None else [("a.jpg", ours, 4)])
    assert len(await archive.sql("SELECT 1 FROM rating_events WHERE source = 'file'")) == (ours is None)
    await check_counts(archive)


async def test_what_the_person_said_about_a_copy_goes_before_what_a_file_said(archive: Archive) -> None:
    photo = a_photo(archive)
    a_sidecar(archive, "a.xmp", 4)
    shutil.copy2(photo, archive.photos / "b.jpg")
    await archive.scanned(await archive.start())
    (second,) = await archive.sql("SELECT id FROM photos WHERE file_name = 'b.jpg'")
    await archive.site.client.patch(f"/api/photos/{second['id']}", json={"user_rating": 1})
    await archive.work()
    assert (await said(archive), await conflicts(archive)) == ({"a.jpg": 1}, [("a.jpg", 1, 4)])


async def test_a_raw_that_joins_its_rated_jpeg_has_its_rating(archive: Archive, tmp_path: Path) -> None:
    raw, jpeg = a_pair(tmp_path / "card")
    shutil.copyfile(jpeg, archive.photos / jpeg.name)
    a_sidecar(archive, "DSC_0001.xmp", 4)
    await archive.imported()
    shutil.copyfile(raw, archive.photos / raw.name)
    await archive.imported()
    assert (await said(archive), await conflicts(archive)) == ({"DSC_0001.DNG": 4}, [])
    a_sidecar(archive, "DSC_0001.xmp", 2)
    await archive.imported()
    assert await said(archive) == {"DSC_0001.DNG": 2}
    await check_counts(archive)
