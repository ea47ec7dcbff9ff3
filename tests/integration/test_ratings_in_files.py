"""Stars that another program wrote into a photo or a sidecar beside it."""

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from orchestrator.imports import sidecars
from orchestrator.imports.walk import FoundFile, pair
from orchestrator.models import Root
from orchestrator.review.service import Change, decide
from tests.archive import Archive, a_pair
from tests.pictures import dng, saved, scene

XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" {said}/></rdf:RDF></x:xmpmeta>'
)


def packet(rating: int | None) -> bytes:
    return XMP.format(said="" if rating is None else f'xmp:Rating="{rating}"').encode()


def a_photo(archive: Archive, name: str = "a.jpg", seed: int = 1, rating: int | None = None) -> Path:
    path = archive.photos / name
    path.parent.mkdir(exist_ok=True)
    xmp = {} if rating is None else {"xmp": packet(rating)}
    path.write_bytes(saved(scene(90, 60, seed), "JPEG", quality=90, **xmp))
    return path


def a_sidecar(archive: Archive, name: str, rating: int | None) -> Path:
    """Written later than any before it, as a clock would have it."""
    path = archive.photos / name
    path.write_bytes(packet(rating))
    newest = max(file.stat().st_mtime_ns for file in archive.photos.rglob("*"))
    os.utime(path, ns=(newest + 1_000_000, newest + 1_000_000))
    return path


async def said(archive: Archive) -> dict[str, int | None]:
    """File name -> stars, -1 for rejected."""
    rows = await archive.sql("SELECT file_name, user_rating, rejected_at FROM photos")
    return {row["file_name"]: -1 if row["rejected_at"] else row["user_rating"] for row in rows}


async def rate(archive: Archive, **said: Any) -> None:
    """The person says something about the only photo."""
    photo = await archive.photo()
    answer = await archive.site.client.patch(f"/api/photos/{photo['id']}", json=said)
    assert answer.status_code == 200, answer.text


async def act(archive: Archive, action: str) -> None:
    photo = await archive.photo()
    assert (await archive.site.client.post(f"/api/photos/{photo['id']}/{action}")).status_code == 200


async def conflicts(archive: Archive) -> list[tuple[str, int | None, int]]:
    """File name, our rating and theirs."""
    listed = (await archive.site.client.get("/api/rating-conflicts")).json()
    assert listed["total"] == len(listed["items"])
    return [(one["photo"]["file_name"], one["ours"], one["theirs"]) for one in listed["items"]]


async def settle(archive: Archive, choice: str) -> dict[str, Any]:
    (one,) = (await archive.site.client.get("/api/rating-conflicts")).json()["items"]
    answer = await archive.site.client.post(f"/api/rating-conflicts/{one['id']}", json={"choice": choice})
    assert answer.status_code == 200, answer.text
    settled: dict[str, Any] = answer.json()
    return settled


async def check_counts(archive: Archive) -> None:
    """The counters of imports equal what the files of their photos say."""
    carriers = (
        "SELECT import_id AS id, count(*) AS n FROM import_items JOIN photos ON photos.id = photo_id"
        " WHERE embedded_rating IS NOT NULL"
        " OR EXISTS (SELECT 1 FROM sidecars WHERE sidecars.photo_id = photos.id AND rating IS NOT NULL) GROUP BY 1"
    )
    counted = await archive.sql("SELECT id, with_rating AS n FROM imports WHERE with_rating > 0 ORDER BY id")
    assert counted == await archive.sql(f"{carriers} ORDER BY 1")


# What counts


@pytest.mark.parametrize("name", ["a.xmp", "a.JPG.Xmp"])
async def test_a_sidecar_rates_its_photo(archive: Archive, name: str) -> None:
    a_photo(archive)
    a_sidecar(archive, name, 4)
    seen = await archive.imported()
    photo = await archive.photo()
    assert (photo["user_rating"], photo["kept_at"] is not None, seen["left_alone"]) == (4, True, {})
    assert (seen["ratings"], seen["conflicts"]) == ({"with_rating": 1, "of": 1}, 0)
    (event,) = await archive.sql("SELECT source, after FROM rating_events")
    assert (event["source"], event["after"]["user_rating"]) == ("file", 4)
    assert await archive.sql("SELECT 1 FROM taste_state WHERE due_at IS NOT NULL") != []


async def test_a_photo_is_rated_before_it_is_converted(archive: Archive) -> None:
    a_photo(archive)
    a_sidecar(archive, "a.xmp", 5)
    seen = await archive.scanned(await archive.start())
    assert (await said(archive), seen["pending"], seen["ratings"]) == ({"a.jpg": 5}, 1, {"with_rating": 1, "of": 1})


async def test_a_rating_in_the_file_itself_counts(archive: Archive) -> None:
    a_photo(archive, "jpeg.jpg", 1, rating=3)
    (archive.photos / "tiff.tif").write_bytes(saved(scene(90, 60, 2), "TIFF", tiffinfo={700: packet(2)}))
    (archive.photos / "webp.webp").write_bytes(saved(scene(90, 60, 3), "WEBP", xmp=packet(5)))
    (archive.photos / "png.png").write_bytes(saved(scene(90, 60, 4), "PNG"))
    seen = await archive.imported()
    assert await said(archive) == {"jpeg.jpg": 3, "tiff.tif": 2, "webp.webp": 5, "png.png": None}
    assert seen["ratings"] == {"with_rating": 3, "of": 4}
    await check_counts(archive)


async def test_rejected_elsewhere_is_rejected_here(archive: Archive) -> None:
    a_photo(archive, "a.jpg", 1)
    a_sidecar(archive, "a.xmp", -1)
    a_photo(archive, "b.jpg", 2, rating=-1)
    seen = await archive.imported()
    assert await said(archive) == {"a.jpg": -1, "b.jpg": -1}
    assert (seen["done"], seen["ratings"]) == (2, {"with_rating": 2, "of": 2})
    rejected = (await archive.site.client.get("/api/photos", params={"filter": "rejected"})).json()["items"]
    assert len(rejected) == 2
    assert (await archive.imported())["skipped"] == 2


async def test_unrated_is_not_zero(archive: Archive) -> None:
    for number, rating in enumerate([None, 0, 6]):
        a_photo(archive, f"{number}.jpg", number, rating=rating)
        a_sidecar(archive, f"{number}.xmp", rating)
    seen = await archive.imported()
    assert set((await said(archive)).values()) == {None}
    assert seen["ratings"] == {"with_rating": 0, "of": 3}
    assert await archive.sql("SELECT 1 FROM rating_events") == []


async def test_a_sidecar_goes_before_the_file(archive: Archive) -> None:
    a_photo(archive, rating=2)
    a_sidecar(archive, "a.xmp", 5)
    await archive.imported()
    assert (await said(archive), await conflicts(archive)) == ({"a.jpg": 5}, [])


async def test_the_sidecar_written_last_goes_before_the_other(archive: Archive) -> None:
    a_photo(archive)
    a_sidecar(archive, "a.jpg.xmp", 5)
    a_sidecar(archive, "a.xmp", 2)
    await archive.imported()
    assert await said(archive) == {"a.jpg": 2}


@pytest.mark.parametrize("name", ["DSC_0001.xmp", "dsc_0001.jpg.XMP"])
async def test_the_sidecar_of_a_pair_rates_the_photo_that_both_are(archive: Archive, name: str) -> None:
    a_pair(archive.photos)
    a_sidecar(archive, name, 4)
    seen = await archive.imported()
    assert (await said(archive), seen["left_alone"]) == ({"DSC_0001.DNG": 4}, {})
    assert seen["ratings"] == {"with_rating": 1, "of": 1}


async def test_the_rating_in_the_jpeg_beside_a_raw_counts(archive: Archive) -> None:
    _, jpeg = a_pair(archive.photos)
    jpeg.write_bytes(saved(scene(240, 160), "JPEG", quality=90, xmp=packet(3)))
    await archive.imported()
    assert await said(archive) == {"DSC_0001.DNG": 3}


async def test_a_sidecar_belongs_to_the_raw_rather_than_to_another_picture_of_the_name(archive: Archive) -> None:
    (archive.photos / "a.dng").write_bytes(dng(scene(90, 60, 1)))
    (archive.photos / "a.png").write_bytes(saved(scene(90, 60, 2), "PNG"))
    a_sidecar(archive, "a.xmp", 4)
    await archive.imported()
    assert await said(archive) == {"a.dng": 4, "a.png": None}


async def test_a_sidecar_without_a_photo_is_left_alone(archive: Archive) -> None:
    a_photo(archive)
    a_sidecar(archive, "other.xmp", 4)
    seen = await archive.imported()
    assert (await said(archive), seen["left_alone"]) == ({"a.jpg": None}, {"xmp": 1})


async def test_an_import_into_a_project_keeps_both(archive: Archive) -> None:
    a_photo(archive)
    a_sidecar(archive, "a.xmp", 4)
    seen = await archive.imported(project="Iceland")
    (item,) = (await archive.site.client.get("/api/photos")).json()["items"]
    assert (seen["project"], item["project"], item["user_rating"]) == ("Iceland", "Iceland", 4)


async def test_a_sample_takes_the_ratings_of_what_it_draws(archive: Archive) -> None:
    for number in range(6):
        a_photo(archive, f"{number}.jpg", number)
        a_sidecar(archive, f"{number}.xmp", 4)
    seen = await archive.imported(sample=2)
    assert (list((await said(archive)).values()), seen["ratings"]) == ([4, 4], {"with_rating": 2, "of": 2})
    await check_counts(archive)


# Reading again


async def test_an_unchanged_sidecar_is_not_read_again(archive: Archive) -> None:
    a_photo(archive)
    sidecar = a_sidecar(archive, "a.xmp", 4)
    await archive.imported()
    times = sidecar.stat().st_mtime_ns
    sidecar.write_bytes(packet(2))
    os.utime(sidecar, ns=(times, times))
    seen = await archive.imported()
    assert (await said(archive), seen["skipped"]) == ({"a.jpg": 4}, 1)
    assert seen["ratings"] == {"with_rating": 1, "of": 1}


@pytest.mark.parametrize(("before", "after"), [(4, -1), (-1, 5), (4, None)])
async def test_a_changed_sidecar_is_applied_where_nobody_said_otherwise(
    archive: Archive, before: int | None, after: int | None
) -> None:
    a_photo(archive)
    a_sidecar(archive, "a.xmp", before)
    await archive.imported()
    assert await said(archive) == {"a.jpg": before}
    a_sidecar(archive, "a.xmp", after)
    seen = await archive.imported()
    assert (await said(archive), await conflicts(archive), archive.converted) == ({"a.jpg": after}, [], 1)
    assert seen["ratings"]["with_rating"] == (after is not None)
    a_sidecar(archive, "a.xmp", 1)
    await archive.imported()
    assert (await said(archive), await conflicts(archive)) == ({"a.jpg": 1}, [])
    await check_counts(archive)


async def test_a_rating_written_into_a_known_photo_is_applied(archive: Archive) -> None:
    a_photo(archive)
    await archive.imported()
    a_photo(archive, rating=4)
    await archive.imported()
    assert await said(archive) == {"a.jpg": 4}
    a_photo(archive, rating=2)
    await archive.imported()
    assert (await said(archive), await conflicts(archive)) == ({"a.jpg": 2}, [])
    await check_counts(archive)


async def test_a_sidecar_that_vanished_takes_nothing_back(archive: Archive) -> None:
    a_photo(archive)
    sidecar = a_sidecar(archive, "a.xmp", 4)
    await archive.imported()
    sidecar.unlink()
    await archive.imported()
    assert await said(archive) == {"a.jpg": 4}


async def test_a_photo_moved_with_its_sidecar_follows_it(archive: Archive) -> None:
    photo = a_photo(archive)
    sidecar = a_sidecar(archive, "a.xmp", 4)
    await archive.imported()
    (archive.photos / "2024").mkdir()
    photo.rename(archive.photos / "2024" / "b.jpg")
    sidecar.rename(archive.photos / "2024" / "b.xmp")
    seen = await archive.imported()
    assert (await said(archive), seen["ratings"]) == ({"b.jpg": 4}, {"with_rating": 1, "of": 1})
    assert [bytes(row["path"]) for row in await archive.sql("SELECT path FROM sidecars")] == [b"2024/b.xmp"]
    a_sidecar(archive, "2024/b.xmp", None)
    await archive.imported()
    assert await said(archive) == {"b.jpg": None}
    await check_counts(archive)


async def test_photos_and_sidecars_that_swap_their_names_keep_their_ratings(archive: Archive) -> None:
    for name, rating in (("a", 1), ("b", 5)):
        a_photo(archive, f"{name}.jpg", rating)
        a_sidecar(archive, f"{name}.xmp", rating)
    await archive.imported()
    for kind in ("jpg", "xmp"):
        for old, new in (("a", "c"), ("b", "a"), ("c", "b")):
            (archive.photos / f"{old}.{kind}").rename(archive.photos / f"{new}.{kind}")
    await archive.imported()
    assert (await said(archive), await conflicts(archive)) == ({"a.jpg": 5, "b.jpg": 1}, [])


async def test_sidecars_stay_known_when_a_parent_folder_is_imported(archive: Archive) -> None:
    a_photo(archive, "inner/a.jpg")
    a_sidecar(archive, "inner/a.xmp", 4)
    await archive.imported(archive.photos / "inner")
    await archive.imported()
    rows = await archive.sql("SELECT path, rating FROM sidecars")
    assert [(bytes(row["path"]), row["rating"]) for row in rows] == [(b"inner/a.xmp", 4)]
    assert (await said(archive), len(await archive.sql("SELECT 1 FROM rating_events"))) == ({"a.jpg": 4}, 1)


async def test_answers_that_come_twice_decide_once(archive: Archive) -> None:
    a_photo(archive, rating=4)
    await archive.scanned(await archive.start())
    answers = archive.answer(await archive.queued())
    await archive.apply(answers)
    await rate(archive, user_rating=2)
    await archive.apply(answers)
    assert (await said(archive), await conflicts(archive)) == ({"a.jpg": 2}, [])
    assert len(await archive.sql("SELECT 1 FROM rating_events")) == 2


# Who is right


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


# The same bytes


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


# What cannot be read


async def test_broken_sidecars_are_named_and_fail_nothing(archive: Archive) -> None:
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>' + packet(4).decode().replace('"4"', '"&b;"')
    broken = {"a": packet(4)[:60], "b": laughs.encode(), "c": packet(4) + b" " * 10_000_000, "d": b"", "e": packet(5)}
    for seed, (name, data) in enumerate(broken.items()):
        a_photo(archive, f"{name}.jpg", seed)
        (archive.photos / f"{name}.xmp").write_bytes(data)
    seen = await archive.imported()
    assert await said(archive) == {"a.jpg": None, "b.jpg": None, "c.jpg": None, "d.jpg": None, "e.jpg": 5}
    assert (seen["done"], seen["failed"], seen["ratings"]) == (5, 0, {"with_rating": 1, "of": 5})
    assert seen["broken_sidecars"]["count"] == 4
    assert [one["name"] for one in seen["broken_sidecars"]["first"]] == ["a.xmp", "b.xmp", "c.xmp"]
    problems = [one["problem"] for one in seen["broken_sidecars"]["first"]]
    assert problems[0].startswith("It is no whole XMP file")
    assert problems[1:] == [
        "It declares XML entities or a document type, which can do harm, so it was not read.",
        "It has 10 MB, far more than a rating needs.",
    ]


async def test_a_sidecar_that_breaks_takes_nothing_back_and_is_read_when_it_is_whole(archive: Archive) -> None:
    a_photo(archive)
    sidecar = a_sidecar(archive, "a.xmp", 4)
    await archive.imported()
    sidecar.write_bytes(packet(5)[:50])
    seen = await archive.imported()
    assert (await said(archive), seen["broken_sidecars"]["count"]) == ({"a.jpg": 4}, 1)
    a_sidecar(archive, "a.xmp", 5)
    seen = await archive.imported()
    assert (await said(archive), seen["broken_sidecars"]) == ({"a.jpg": 5}, None)


async def test_a_link_to_a_sidecar_is_followed_and_a_folder_of_that_name_is_not_one(archive: Archive) -> None:
    a_photo(archive)
    elsewhere = archive.photos / "notes.txt"
    sidecar = archive.photos / "a.xmp"
    sidecar.symlink_to(elsewhere)
    elsewhere.write_bytes(packet(4))
    a_photo(archive, "b.jpg", 2)
    (archive.photos / "b.xmp").mkdir()
    seen = await archive.imported()
    assert (await said(archive), seen["left_alone"]) == ({"a.jpg": 4, "b.jpg": None}, {"txt": 1})


async def test_a_sidecar_that_could_not_be_opened_is_tried_again_as_it_is(archive: Archive) -> None:
    a_photo(archive)
    sidecar = a_sidecar(archive, "a.xmp", 4)
    found = sidecar.stat()
    (unit,) = pair([FoundFile(b"a.jpg", 1, 1)])
    unit = replace(unit, sidecars=(FoundFile(b"a.xmp", found.st_size, found.st_mtime_ns),))
    await archive.imported()
    photo_id = (await archive.photo())["id"]
    sidecar.unlink()
    await archive.sql("DELETE FROM sidecars")
    async with archive.site.services.sessions.begin() as session:
        root = (await session.scalars(select(Root))).one()
        readings = await sidecars.read(session, root, [unit])
        await sidecars.record(session, root, [unit], readings, {b"a.jpg": photo_id})
    assert readings[b"a.xmp"].problem == "It cannot be read: No such file or directory."
    a_sidecar(archive, "a.xmp", 3)
    os.utime(sidecar, ns=(found.st_mtime_ns, found.st_mtime_ns))
    await archive.imported()
    assert await said(archive) == {"a.jpg": 3}


async def test_packets_in_photos_that_cannot_be_read_fail_nothing(archive: Archive) -> None:
    (archive.photos / "a.jpg").write_bytes(saved(scene(90, 60), "JPEG", xmp=b"<x:xmpmeta" + b"\xff" * 100))
    seen = await archive.imported()
    assert (seen["done"], await said(archive)) == (1, {"a.jpg": None})
