"""What a kept photo is rated beside."""

from tests.shoot import Shoot

FAR = 10_000


async def maybes(shoot: Shoot, photo_id: int) -> list[int]:
    answer = await shoot.site.client.get(f"/api/photos/{photo_id}/maybes")
    assert answer.status_code == 200, answer.text
    return [photo["id"] for photo in answer.json()["items"]]


async def kept(shoot: Shoot, degrees: float, **wish: int) -> int:
    photo = await shoot.photo(degrees * FAR, degrees)
    await shoot.post("/api/decisions", ids=[photo], **(wish or {"action": "keep"}))
    return photo


async def test_the_nearest_kept_photos_that_are_not_settled_are_maybes(shoot: Shoot) -> None:
    here = await kept(shoot, 0)
    far, near, between = await kept(shoot, 80), await kept(shoot, 10, user_rating=3), await kept(shoot, 40)
    await kept(shoot, 5, user_rating=5)
    await kept(shoot, 6, user_rating=1)
    await shoot.photo(FAR / 2, 1)
    rejected = await kept(shoot, 7)
    await shoot.post("/api/decisions", ids=[rejected], action="reject")
    assert await maybes(shoot, here) == [near, between, far]
    await shoot.post("/api/decisions", ids=[between], user_rating=5)
    assert await maybes(shoot, here) == [near, far]


async def test_there_are_eight_maybes_at_most_and_none_without_a_vector(shoot: Shoot) -> None:
    photos = [await kept(shoot, degrees) for degrees in range(10)]
    assert await maybes(shoot, photos[0]) == photos[1:9]
    await shoot.sql("DELETE FROM photo_vectors WHERE photo_id = :id", id=photos[0])
    assert await maybes(shoot, photos[0]) == []
    assert await maybes(shoot, 999) == []
