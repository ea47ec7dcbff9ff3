"""New frames are compared with those near them in time, and the bursts are as if all had been compared."""

import numpy as np

from tests import factories
from tests.shoot import Shoot


async def test_only_frames_near_the_new_one_are_handed_to_a_worker(shoot: Shoot) -> None:
    near, far = await shoot.photos(0, 1), await shoot.photos(100, 101)
    await shoot.search()
    before = await shoot.sql("SELECT id, xmin::text FROM photos WHERE id = ANY(:ids) ORDER BY id", ids=far)
    new = await shoot.photo(2)
    assert await shoot.embedded(new) == [*near, new]
    assert await shoot.groups() == [[*near, new], far]
    assert await shoot.sql("SELECT id, xmin::text FROM photos WHERE id = ANY(:ids) ORDER BY id", ids=far) == before


async def test_the_first_search_and_one_by_another_embedder_are_of_all_frames(shoot: Shoot) -> None:
    photos = await shoot.photos(0, 1, 100, 101)
    assert await shoot.embedded(photos[0]) == photos
    await shoot.sql("UPDATE burst_state SET model = 'another'")
    assert await shoot.embedded(photos[0]) == photos
    assert await shoot.embedded(photos[0]) == photos[:2]


async def test_a_frame_that_joins_two_stretches_is_compared_with_both(shoot: Shoot) -> None:
    photos = await shoot.photos(0, 1, 9, 10)
    await shoot.search()
    assert await shoot.groups() == [photos[:2], photos[2:]]
    between = await shoot.photo(5)
    assert await shoot.embedded(between) == sorted([*photos, between])
    assert await shoot.groups() == [[*photos[:2], between, *photos[2:]]]


async def test_a_burst_that_lies_in_two_stretches_is_looked_at_as_a_whole(shoot: Shoot) -> None:
    photos = await shoot.photos(0, 1, 5, 9, 10)
    await shoot.search()
    await shoot.post(f"/api/photos/{photos[2]}/reject")
    new = await shoot.photo(11)
    assert await shoot.embedded(new) == [*photos[:2], *photos[3:], new]
    assert await shoot.groups() == [photos[:2], [*photos[3:], new]]


async def test_a_frame_that_got_another_time_leaves_its_burst(shoot: Shoot) -> None:
    photos = await shoot.photos(0, 1, 2)
    other = await shoot.photo(60)
    await shoot.search()
    later = factories.EPOCH.replace(minute=factories.EPOCH.minute + 1, second=1)
    await shoot.sql("UPDATE photos SET captured_at = :at WHERE id = :id", at=later, id=photos[1])
    await shoot.embedded(photos[1])
    assert await shoot.groups() == [[photos[0], photos[2]], [other, photos[1]]]
    await shoot.sql("UPDATE photos SET captured_at = NULL WHERE id = :id", id=photos[1])
    assert await shoot.embedded(photos[1]) == []
    assert await shoot.groups() == [[photos[0], photos[2]]]


async def test_what_the_person_decided_about_a_burst_stays_when_a_frame_joins(shoot: Shoot) -> None:
    photos = await shoot.photos(0, 1, 2)
    await shoot.search()
    burst = (await shoot.only())["id"]
    await shoot.post(f"/api/bursts/{burst}/best", photo_id=photos[1])
    await shoot.post(f"/api/photos/{photos[2]}/reject")
    sharp = await shoot.photo(3, sharpness_score=99)
    await shoot.embedded(sharp)
    item = await shoot.only()
    assert (item["id"], item["best_id"], item["size"]) == (burst, photos[1], 3)
    assert await shoot.rejected() == [photos[2]]


async def test_searching_around_each_new_frame_finds_what_a_search_of_all_finds(shoot: Shoot) -> None:
    random = np.random.default_rng(1)
    moments = np.cumsum(random.choice([0.5, 2, 4, 6, 30], 40))
    for some in np.array_split(random.permutation(moments), 8):  # photos come in any order
        await shoot.embedded(*[await shoot.photo(float(at), degrees=float(random.choice([0, 10, 90]))) for at in some])
    around = await shoot.groups()
    await shoot.search()
    assert len(around) > 3
    assert await shoot.groups() == around


async def test_after_a_finding_was_lost_the_next_search_is_of_all_frames(shoot: Shoot) -> None:
    photos = await shoot.photos(0, 1, 100, 101)
    await shoot.site.client.post("/api/bursts/detect")
    await shoot.tick()
    await shoot.work()
    for path in (shoot.site.claims.folder / "bursts").glob("found-*"):
        path.write_bytes(b"bit rot")
    await shoot.tick()
    assert await shoot.embedded(photos[0]) == photos
    assert len(await shoot.groups()) == 2
    assert await shoot.sql("SELECT 1 FROM new_frames") == []
