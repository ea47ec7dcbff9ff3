"""The JSON of photos and their pictures, over HTTP and a real database."""

from datetime import UTC, datetime

import pytest

from tests import factories
from tests.photos import all_pages, counted, names, some_photos
from tests.site import Site

REJECTED = {"rejected_at": datetime(2024, 5, 4, tzinfo=UTC)}


@pytest.mark.parametrize("sort", ["newest", "captured", "sharpness", "exposure"])
async def test_paging_shows_every_photo_once_despite_ties_and_missing_values(site: Site, sort: str) -> None:
    values = [None, 50.0, 50.0, 91.5, None, 50.0, 12.0, None, 91.5]
    await some_photos(
        site,
        *(
            {
                "sharpness_score": value,
                "exposure_score": value,
                "captured_at": value and datetime(2024, 5, 4, 10, 0, int(value) % 60, 120_000),
            }
            for value in values
        ),
    )
    whole = await all_pages(site, f"/api/photos?sort={sort}&limit=500")
    by_two = await all_pages(site, f"/api/photos?sort={sort}&limit=2")
    assert len(whole) == len(values)
    assert [item["id"] for item in by_two] == [item["id"] for item in whole]


async def test_highest_scores_come_first_and_unscored_photos_last(site: Site) -> None:
    await some_photos(site, {"sharpness_score": None}, {"sharpness_score": 10.0}, {"sharpness_score": 90.0})
    assert await names(site, "/api/photos?sort=sharpness") == ["DSC_0002.jpg", "DSC_0001.jpg", "DSC_0000.jpg"]


async def test_each_filter_shows_its_photos(site: Site) -> None:
    plain, rated, rejected, waiting, deleted = await some_photos(
        site, {}, {"user_rating": 4}, REJECTED, {"preview": None}, {"deleted_at": datetime(2024, 5, 4, tzinfo=UTC)}
    )
    async with site.session() as session:
        await factories.a_run(session, waiting, state="failed", error="It is broken.")
        await factories.a_run(session, deleted, state="failed")
        await session.commit()
    assert await names(site, "/api/photos") == [rated.file_name, plain.file_name]
    assert await names(site, "/api/photos?filter=rated") == [rated.file_name]
    assert await names(site, "/api/photos?filter=unrated") == [plain.file_name]
    assert await names(site, "/api/photos?filter=rejected") == [rejected.file_name]
    assert await names(site, "/api/photos?filter=failed") == [waiting.file_name]


async def test_failures_are_paged_in_every_order(site: Site) -> None:
    photos = await some_photos(site, *({"sharpness_score": score} for score in (None, 3.0, 3.0, None, 8.0)))
    async with site.session() as session:
        for photo in photos:
            for stage in ("convert", "embed"):
                await factories.a_run(session, photo, stage, state="failed")
        await session.commit()
    for sort in ("newest", "sharpness"):
        items = await all_pages(site, f"/api/photos?filter=failed&sort={sort}&limit=2")
        assert sorted(item["id"] for item in items) == [photo.id for photo in photos]


async def test_an_import_and_a_project_narrow_the_list(site: Site) -> None:
    one, _, both = await some_photos(site, {}, {}, {})
    async with site.session() as session:
        project = await factories.a_project(session, "Iceland & more")
        session.add(both)
        both.project_id = project.id
        root = await factories.a_root(session, b"/other")
        import_ = await factories.an_import(session, root)
        for path, photo in ((b"a", one), (b"b", both), (b"copy of b", both)):
            await factories.an_item(session, import_, photo, path, state="done")
        await session.commit()
    listed = f"/api/photos?import={import_.id}"
    assert await names(site, listed) == [both.file_name, one.file_name]
    assert await names(site, f"{listed}&sort=captured") == [both.file_name, one.file_name]
    assert await names(site, f"{listed}&project=Iceland+%26+more") == [both.file_name]
    assert await names(site, "/api/photos?project=Nowhere") == []


async def test_an_item_has_what_a_card_needs(site: Site) -> None:
    (photo,) = await some_photos(site, {"user_rating": 5, "damage": "The end is missing."})
    async with site.session() as session:
        await factories.a_run(session, photo)
        await factories.a_run(session, photo, "embed", state="retrying")
        await session.commit()
    (item,) = (await site.client.get("/api/photos")).json()["items"]
    assert item["stages"] == {"convert": "done", "embed": "retrying"}
    assert item["scores"] == {"sharpness": 71.0, "exposure": 96.0, "technical": 78.5}
    assert item["captured_at"] == "2024-05-04T10:00:00"
    assert (item["user_rating"], item["damage"], item["project"]) == (5, "The end is missing.", None)


async def test_photos_can_be_asked_for_by_id_under_a_filter(site: Site) -> None:
    plain, rejected = await some_photos(site, {}, REJECTED)
    ids = f"{plain.id},{rejected.id},{2**70}"
    assert len(await names(site, f"/api/photos?ids={ids}")) == 2
    assert await names(site, f"/api/photos?ids={ids}&filter=all") == [plain.file_name]


async def test_counts_agree_with_the_lists(site: Site) -> None:
    photos = await some_photos(site, {}, {"user_rating": 2}, REJECTED, {"preview": None})
    async with site.session() as session:
        project = await factories.a_project(session, "Iceland")
        session.add(photos[0])
        photos[0].project_id = project.id
        await factories.a_run(session, photos[0], "convert", state="failed")
        await factories.a_run(session, photos[0], "embed", state="failed")
        await session.commit()
    counts = await counted(site, "/api/photos/counts")
    nothing = {"match": 0, "for-projects": 0, "bursts": 0}
    assert counts == {"all": 2, "nomatch": 2, "rated": 1, "unrated": 1, "rejected": 1, "failed": 1, **nothing}
    of_project = await counted(site, "/api/photos/counts?project=Iceland")
    assert of_project == {"all": 1, "nomatch": 1, "rated": 0, "unrated": 1, "rejected": 0, "failed": 1, **nothing}


async def test_a_photo_in_full_names_its_files_even_when_they_are_not_text(site: Site) -> None:
    (photo,) = await some_photos(site, {"camera_model": "Z 6II", "laplacian_variance": 431.5})
    async with site.session() as session:
        await factories.a_file(session, photo, b"2024/caf\xe9 \n.nef")
        await factories.a_run(session, photo, state="failed", error="The file is broken.", error_type="CorruptFile")
        await session.commit()
    detail = (await site.client.get(f"/api/photos/{photo.id}")).json()
    assert detail["files"][0]["path"] == "/photos/2024/caf\ufffd \n.nef"
    assert detail["runs"][0]["error"] == "The file is broken."
    assert detail["exif"]["camera_model"] == "Z 6II"
    assert detail["measurements"]["laplacian_variance"] == 431.5


async def test_a_picture_is_kept_for_ever(site: Site) -> None:
    (photo,) = await some_photos(site, {})
    async with site.session() as session:
        session.add(photo)
        await factories.a_picture(session, site.claims, photo, factories.a_gradient())
        await session.commit()
    (item,) = (await site.client.get("/api/photos")).json()["items"]
    versioned = await site.client.get(item["thumbnail_url"])
    assert versioned.headers["content-type"] == "image/jpeg"
    assert "immutable" in versioned.headers["cache-control"]
    plain = await site.client.get(f"/photos/{photo.id}/preview.jpg")
    assert plain.status_code == 200
    assert "immutable" in plain.headers["cache-control"]
    again = await site.client.get(f"/photos/{photo.id}/preview.jpg", headers={"if-none-match": plain.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_picture_that_is_not_there_says_so(site: Site) -> None:
    missing, waiting, outside = await some_photos(
        site, {}, {"preview": None}, {"preview": "../../../../../../etc/passwd"}
    )
    for photo, status in ((missing, 410), (waiting, 404), (outside, 404)):
        answer = await site.client.get(f"/photos/{photo.id}/preview.jpg")
        assert answer.status_code == status
        assert "root:" not in answer.text


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/api/photos?sort=beauty", 422),
        ("/api/photos?limit=0", 422),
        ("/api/photos?after=bm9uc2Vuc2U", 422),
        ("/api/photos?after=%F0%9F%93%B7", 422),
        ("/api/photos?ids=1,x", 422),
        ("/api/photos?project=%00", 422),
        ("/api/photos/99999999999999999999999", 422),
        ("/api/photos/123456", 404),
    ],
)
async def test_a_bad_question_gets_a_sentence(site: Site, address: str, status: int) -> None:
    answer = await site.client.get(address)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["type"]
    assert error["message"].endswith(".")


async def test_a_cursor_of_another_order_is_refused(site: Site) -> None:
    await some_photos(site, {}, {})
    cursor = (await site.client.get("/api/photos?limit=1")).json()["next"]
    assert (await site.client.get(f"/api/photos?sort=captured&after={cursor}")).status_code == 422
