"""Stars that another program wrote into a photo or a sidecar beside it."""

import os
from dataclasses import replace

import pytest
from sqlalchemy import select

from orchestrator.imports import sidecars
from orchestrator.imports.walk import FoundFile, pair
from orchestrator.models import Root
from tests.archive import Archive, a_pair
from tests.pictures import dng, saved, scene
from tests.ratings_in_files import a_photo, a_sidecar, check_counts, conflicts, packet, rate, said


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
