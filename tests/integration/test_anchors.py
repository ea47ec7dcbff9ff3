"""Jumping into a long list: anchors split it into segments that together are the list, however old they have grown."""

from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import text

from orchestrator.photos import anchors, orders, selection
from tests.photos import all_pages, some_photos
from tests.site import Site

STEP = 4
LISTS = [
    "sort=newest",
    "sort=captured",
    "sort=taste",
    "sort=taste-up",
    "sort=rating",
    "sort=sharpness&filter=unrated",
    "q=dog",
    "filter=failed",
    "filter=rejected&sort=captured",
]


@pytest.fixture
async def archive(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """As long as it needs to be for anchors at every fourth photo; with ties, and photos without a value."""
    monkeypatch.setattr(anchors, "_STEP", STEP)
    for module in (selection, orders):
        monkeypatch.setattr(module, "MOST_FOUND", 6)
    fields: list[dict[str, Any]] = [
        {"subject": "dog " * (n % 3 + 1), "user_rating": n % 6 or None, "sharpness_score": n % 5 * 10.5}
        for n in range(30)
    ]
    await some_photos(site, *fields)
    async with site.session() as session:
        for statement in (
            "UPDATE photos SET preference_score = id * 7 % 40 WHERE id % 3 > 0",
            "UPDATE photos SET captured_at = timestamp '2024-05-04' + id % 3 * interval '1 h'",
            "UPDATE photos SET captured_at = NULL WHERE id % 7 = 0",
            "UPDATE photos SET rejected_at = now() WHERE id % 3 = 0",
            "INSERT INTO stage_runs (stage, subject, photo_id, run_id, state) SELECT 'embed', id::text, id,"
            " gen_random_uuid(), 'failed' FROM photos WHERE id % 3 = 0",
        ):
            await session.execute(text(statement))
        await session.commit()
    return site


@pytest.mark.parametrize("chosen", LISTS)
async def test_the_segments_together_are_the_list(archive: Site, chosen: str) -> None:
    whole = [item["id"] for item in await all_pages(archive, f"/api/photos?{chosen}")]
    found = await anchors_of(archive, chosen)
    parts = await segments(archive, chosen, found["anchors"])
    assert [photo_id for part in parts for photo_id in part] == whole
    assert found["total"] == len(whole)
    assert {len(part) for part in parts[:-1]} == {STEP}


@pytest.mark.parametrize("chosen", LISTS)
async def test_an_anchor_knows_which_segment_holds_a_photo(archive: Site, chosen: str) -> None:
    parts = await segments(archive, chosen, (await anchors_of(archive, chosen))["anchors"])
    for place, part in enumerate(parts):
        for photo_id in part:
            assert (await anchors_of(archive, f"{chosen}&around={photo_id}"))["around"] == place
    assert (await anchors_of(archive, f"{chosen}&around=123456"))["around"] is None


async def test_old_anchors_still_split_the_list(archive: Site) -> None:
    old = (await anchors_of(archive, "sort=rating"))["anchors"]
    async with archive.session() as session:  # most of them move, are gone, or are there anew
        await session.execute(text("UPDATE photos SET user_rating = id % 5 + 1 WHERE id % 2 = 0"))
        await session.execute(text("UPDATE photos SET deleted_at = now() WHERE id % 5 = 0"))
        await session.execute(text("UPDATE photos SET rejected_at = NULL WHERE id % 4 = 0"))
        await session.commit()
    whole = [item["id"] for item in await all_pages(archive, "/api/photos?sort=rating")]
    assert [photo_id for part in await segments(archive, "sort=rating", old) for photo_id in part] == whole


async def test_anchors_say_what_the_list_is_sorted_by(archive: Site) -> None:
    values = [anchor["value"] for anchor in (await anchors_of(archive, "sort=captured"))["anchors"]]
    assert values[0] == "2024-05-04T02:00:00"
    assert values[-1] is None or values[-1] < values[0]
    assert (await anchors_of(archive, "sort=rating"))["anchors"][0]["value"] == 4  # five stars are rejected
    assert "T" in (await anchors_of(archive, "sort=newest"))["anchors"][0]["value"]


async def test_an_empty_list_has_nowhere_to_jump_to(site: Site) -> None:
    assert await anchors_of(site, "filter=rated") == {"total": 0, "step": 100, "anchors": [], "around": None}


@pytest.mark.parametrize("chosen", LISTS)
async def test_the_photos_between_two_are_named_in_either_direction(archive: Site, chosen: str) -> None:
    whole = [item["id"] for item in await all_pages(archive, f"/api/photos?{chosen}")]
    for first, last in ((1, 3), (3, 1), (2, 2), (0, len(whole) - 1)):
        address = f"/api/photos/between?{chosen}&first={whole[first]}&last={whole[last]}"
        ids = (await archive.client.get(address)).json()["ids"]
        assert ids == whole[min(first, last) : max(first, last) + 1]
    assert (await archive.client.get(f"/api/photos/between?{chosen}&first=1&last=123456")).json() == {"ids": []}


async def anchors_of(site: Site, chosen: str) -> dict[str, Any]:
    found: dict[str, Any] = (await site.client.get(f"/api/photos/anchors?{chosen}")).json()
    return found


async def segments(site: Site, chosen: str, found: list[dict[str, Any]]) -> list[list[int]]:
    ends = [*(anchor["after"] for anchor in found), None]
    return [await segment(site, chosen, after or "", last or "") for after, last in pairwise(ends)]


async def segment(site: Site, chosen: str, after: str | None, last: str) -> list[int]:
    ids: list[int] = []
    while after is not None:
        page = (await site.client.get(f"/api/photos?{chosen}&limit=3&after={after}&last={last}")).json()
        ids += [item["id"] for item in page["items"]]
        after = page["next"]
    return ids
