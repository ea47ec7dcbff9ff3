"""What the gallery can be narrowed to, sorted by and searched for, and that an index answers each of it."""

from datetime import datetime
from typing import Any, get_args

import pytest
from sqlalchemy import text

from orchestrator.photos import orders, selection
from orchestrator.photos.views import Filter, Sort
from tests.photos import all_pages, counted, names, some_photos
from tests.plans import plan_of, statements
from tests.site import Site

_MANY_PHOTOS = """
INSERT INTO photos (root_id, file_name, file_path, preview, captured_at, camera_make, camera_model, content_type,
  subject, suggested_tags, user_rating, preference_score, manual_match, rejected_at, sharpness_score, exposure_score,
  technical_score)
SELECT root.id, 'DSC_' || lpad(n::text, 7, '0') || '.jpg', '/photos/DSC_' || n, 'previews/' || n,
  CASE WHEN n % 20 <> 0 THEN timestamp '2020-01-01' + n * interval '7 minutes' END,
  'Nikon', 'Z ' || n % 12, (ARRAY['portrait', 'street', 'landscape', 'other'])[1 + n % 4],
  'A ' || (ARRAY['lighthouse', 'dog', 'mountain', 'street at night'])[1 + n % 4] || ' number ' || n,
  ARRAY['tag ' || n % 50, 'photo'], CASE WHEN n % 5 = 0 THEN 1 + n / 5 % 5 END,
  CASE WHEN n % 10 <> 0 THEN n * 37 % 101 END,
  n % 300 = 0, CASE WHEN n % 25 = 0 THEN now() END, n * 13 % 1000 / 10.0, n * 17 % 1000 / 10.0, n * 29 % 1000 / 10.0
FROM generate_series(1, :most) AS n, roots AS root
"""


async def many_photos(site: Site, most: int) -> None:
    await some_photos(site, {})
    async with site.session() as session:
        await session.execute(text(_MANY_PHOTOS), {"most": most})
        await session.execute(
            text(
                "INSERT INTO stage_runs (stage, subject, photo_id, run_id, state) SELECT 'convert', id::text, id,"
                " gen_random_uuid(), CASE WHEN id % 90 = 0 THEN 'failed' ELSE 'done' END FROM photos"
            )
        )
        for statement in (
            "UPDATE taste_state SET is_trusted = true",
            "INSERT INTO bursts (kind, size, started_at) SELECT 'burst', 3, now() FROM generate_series(1, 50)",
            "UPDATE photos SET burst_id = bursts.id FROM bursts WHERE bursts.id = photos.id / 40",
            "ANALYZE",
        ):
            await session.execute(text(statement))
        await session.commit()


async def test_a_match_is_a_pick_or_a_score_of_a_taste_that_is_trusted(site: Site) -> None:
    await some_photos(site, {"preference_score": 69}, {"preference_score": 70}, {"manual_match": True}, {})
    pick, scored = "DSC_0002.jpg", "DSC_0001.jpg"
    assert await names(site, "/api/photos?filter=match") == [pick]
    assert len(await names(site, "/api/photos?filter=nomatch")) == 3
    async with site.session() as session:
        await session.execute(text("UPDATE taste_state SET is_trusted = true"))
        await session.commit()
    assert await names(site, "/api/photos?filter=match") == [pick, scored]
    assert await names(site, "/api/photos?filter=nomatch") == ["DSC_0003.jpg", "DSC_0000.jpg"]
    items = (await site.client.get("/api/photos")).json()["items"]
    assert [item["file_name"] for item in items if item["is_match"]] == [pick, scored]
    counts = await counted(site, "/api/photos/counts")
    assert (counts["match"], counts["nomatch"]) == (2, 2)


async def test_good_photos_without_a_project_wait_for_one(site: Site) -> None:
    photos = await some_photos(site, {"user_rating": 3}, {"user_rating": 4}, {"user_rating": 5}, {})
    async with site.session() as session:
        await session.execute(text("INSERT INTO projects (name) VALUES ('Iceland')"))
        placed = {"photo": photos[2].id}
        await session.execute(
            text("UPDATE photos SET project_id = (SELECT id FROM projects) WHERE id = :photo"), placed
        )
        await session.commit()
    assert await names(site, "/api/photos?filter=for-projects") == ["DSC_0001.jpg"]
    assert (await counted(site, "/api/photos/counts"))["for-projects"] == 1


NARROWED = {
    "content_type=street": [1],
    "camera=Z+6": [2],
    "tag=Harbour": [1],
    "tag=boats": [1],
    "from=2024-05-04": [2, 1],
    "to=2024-05-04": [1, 0],
    "from=2024-05-04&to=2024-05-04": [1],
    "technical=80": [2, 1],
    "technical=80&camera=Z+6": [2],
    "project=Iceland": [],
}


async def test_each_narrowing_shows_its_photos(site: Site) -> None:
    evening = datetime(2024, 5, 4, 23, 59, 59)
    photos = await some_photos(
        site,
        {"captured_at": datetime(2024, 5, 3, 23, 59, 59), "technical_score": 20.0, "suggested_tags": ["harbours"]},
        {"content_type": "street", "tags": ["Harbour", "Boats"], "captured_at": evening, "technical_score": 80.0},
        {"camera_model": "Z 6", "captured_at": datetime(2024, 5, 5), "technical_score": 90.0},
    )
    ids = ",".join(str(photo.id) for photo in photos)
    for narrowing, found in NARROWED.items():
        expected = [photos[n].file_name for n in found]
        for rest in ("sort=newest", "sort=sharpness", f"filter=all&ids={ids}"):
            assert await names(site, f"/api/photos?{narrowing}&{rest}") == expected, narrowing


FOUND = {
    "lighthouse": [2, 1],  # in the subject before in the mood
    "lighthouses": [2, 1],
    "lightho": [2, 1],
    "0002": [2],
    "DSC_0001": [1],
    "dsc_0001.jpg": [1],
    "nikon": [0],
    "z-6ii": [0],
    "dogs": [0],
    "lighthouse -storm": [1],
    '"storm lighthouse"': [],
    "lighthouse or nikon": [2, 1, 0],
    "Reykjavík": [1],
    "it's (": [],
    "the": [],
    "nothing like it": [],
}


async def test_words_are_found_wherever_they_stand(site: Site) -> None:
    photos = await some_photos(
        site,
        {"camera_make": "Nikon", "camera_model": "Z 6II", "suggested_tags": ["dog"]},
        {"artistic_mood": "Lonely as a lighthouse", "tags": ["Reykjavík"], "suggested_tags": ["cat"]},
        {"subject": "A lighthouse in a storm"},
    )
    for words, found in FOUND.items():
        answer = await site.client.get("/api/photos", params={"q": words})
        assert [item["id"] for item in answer.json()["items"]] == [photos[n].id for n in found], words


async def test_words_are_those_of_now(site: Site) -> None:
    (photo,) = await some_photos(site, {"subject": "A cat", "suggested_tags": ["cat"]})
    async with site.session() as session:
        await session.execute(text("UPDATE photos SET subject = 'A dog', tags = ARRAY['dog']"))
        await session.commit()
    assert await names(site, "/api/photos?q=cat") == []
    assert await names(site, "/api/photos?q=dog&sort=newest") == [photo.file_name]


async def test_paging_by_each_order_shows_every_photo_once(site: Site) -> None:
    ratings = [None, 3, 3, None, 5, 3, 1]
    fields: list[dict[str, Any]] = [
        {"user_rating": n, "preference_score": n, "subject": "dog " * (n or 1)} for n in ratings
    ]
    await some_photos(site, *fields)
    lowest_first = sorted(stars for stars in ratings if stars)
    for sort in ("taste", "taste-up", "rating", "relevance&q=dog"):
        items = await all_pages(site, f"/api/photos?sort={sort}&limit=2")
        assert len({item["id"] for item in items}) == len(items) == len(ratings), sort
        if not sort.startswith("relevance"):
            ordered = lowest_first if sort == "taste-up" else lowest_first[::-1]
            assert [item["user_rating"] for item in items] == [*ordered, None, None], sort


async def test_words_that_very_many_photos_have_lose_none_of_them(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "MOST_FOUND", 4)
    monkeypatch.setattr(orders, "MOST_FOUND", 4)
    await some_photos(site, *({"subject": "dog " * (n % 3 + 1)} for n in range(11)))
    for order in ("relevance", "newest", "sharpness"):
        items = await all_pages(site, f"/api/photos?q=dog&sort={order}&limit=3")
        assert sorted(item["file_name"] for item in items) == [f"DSC_{n:04}.jpg" for n in range(11)], order


async def test_counts_of_filters_and_values_agree_with_the_lists(site: Site) -> None:
    await many_photos(site, 400)
    async with site.session() as session:
        await session.execute(text("INSERT INTO projects (name) VALUES ('Iceland'), ('Norway')"))
        await session.execute(text("UPDATE photos SET project_id = 1 + id % 2 WHERE id % 3 = 0"))
        frames = "SELECT count(*) FROM photos WHERE burst_id = bursts.id AND rejected_at IS NULL"
        await session.execute(text(f"UPDATE bursts SET size = ({frames})"))
        await session.commit()
    narrowings = (
        "",
        "camera=Z+3",
        "tag=tag+7",
        "q=dog&from=2020-01-02",
        "technical=60&content_type=street",
        "project=Iceland",
    )
    for narrowing in narrowings:
        counts = await counted(site, f"/api/photos/counts?{narrowing}&filter=rated")  # whatever filter is chosen
        listed = {name: await all_pages(site, f"/api/photos?filter={name}&{narrowing}") for name in get_args(Filter)}
        assert counts == {name: len(items) for name, items in listed.items()}, narrowing
    narrowed = "filter=rated&camera=Z+1&content_type=street"
    values = (await site.client.get(f"/api/photos/facets?{narrowed}")).json()
    assert len(values["cameras"]) == 3  # the others took no street scenes
    for value, count in values["cameras"].items():
        others = f"filter=rated&content_type=street&camera={value.replace(' ', '+')}"
        assert len(await all_pages(site, f"/api/photos?{others}")) == count, value
    for value, count in values["projects"].items():
        assert len(await all_pages(site, f"/api/photos?{narrowed}&project={value}")) == count, value
    for value, count in values["tags"].items():
        assert len(await all_pages(site, f"/api/photos?{narrowed}&tag={value.replace(' ', '+')}")) == count, value
    assert values["content_types"] == {"street": values["tags"]["photo"]}


async def test_an_index_answers_every_filter_in_every_order(site: Site) -> None:
    await many_photos(site, 3_000)
    narrowings = ["", *("content_type=street", "camera=Z+3", "tag=tag+7", "from=2020-01-03", "technical=90", "q=dog")]
    addresses = [
        f"/api/photos?filter={name}&sort={sort}&{'q=number' if sort == 'relevance' else ''}"
        for name in get_args(Filter)
        for sort in get_args(Sort)
    ] + [f"/api/photos?sort={sort}&{narrowing}" for sort in ("newest", "sharpness") for narrowing in narrowings]
    scanned = []
    for address in addresses:
        with statements(site) as told:
            page = (await site.client.get(f"{address}&limit=5")).json()
            assert page["items"], address
            if page["next"]:
                assert (await site.client.get(f"{address}&limit=5&after={page['next']}")).status_code == 200
        plans = [line for statement in told if "FROM photo" in statement[0] for line in await plan_of(site, statement)]
        scanned += [(address, line) for line in plans if "Seq Scan on photo" in line or "Seq Scan on stage" in line]
    assert scanned == []
