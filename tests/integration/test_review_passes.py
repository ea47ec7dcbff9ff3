"""Passes: an order that is frozen, and a person who goes on where they were."""

from typing import Any

from tests.shoot import Shoot

FAR = 10_000  # seconds from one photo to the next: no burst


async def some(shoot: Shoot, *scores: int | None, start: int = 0) -> list[int]:
    """Photos with these taste scores, in the order they were taken."""
    return [await shoot.photo((start + n) * FAR, preference_score=score) for n, score in enumerate(scores)]


async def trust_taste(shoot: Shoot) -> None:
    await shoot.sql("UPDATE taste_state SET is_trusted = true")


async def opened(shoot: Shoot, kind: str = "cull") -> dict[str, Any]:
    return await shoot.post("/api/review/passes", **{"pass": kind})


async def stops(shoot: Shoot, pass_: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    answer = await shoot.site.client.get(f"/api/review/passes/{pass_['id']}/items", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def order(shoot: Shoot, pass_: dict[str, Any]) -> list[int]:
    return [stop["photo"]["id"] for stop in await stops(shoot, pass_)]


async def more(shoot: Shoot, pass_: dict[str, Any]) -> int:
    """How many came since the pass was opened."""
    return int((await shoot.site.client.get(f"/api/review/passes/{pass_['id']}")).json()["more"])


async def decide(shoot: Shoot, *ids: int, **wish: Any) -> dict[str, Any]:
    return await shoot.post("/api/decisions", ids=list(ids), **wish)


async def test_the_least_liked_come_first_and_the_unscored_last(shoot: Shoot) -> None:
    good, bad, unscored, middling = await some(shoot, 90, 10, None, 50)
    await trust_taste(shoot)
    pass_ = await opened(shoot)
    assert (pass_["n"], pass_["position"]) == (4, 1)
    assert await order(shoot, pass_) == [bad, middling, good, unscored]


async def test_while_the_taste_is_not_trusted_photos_come_as_they_were_taken(shoot: Shoot) -> None:
    late = await shoot.photo(5 * FAR, preference_score=1)
    early = await shoot.photo(FAR, preference_score=99)
    assert await order(shoot, await opened(shoot)) == [early, late]


async def test_another_order_begins_another_pass_with_what_is_undecided(shoot: Shoot) -> None:
    late, early, unscored = await shoot.photos(5 * FAR, FAR, 9 * FAR)
    await shoot.sql(
        "UPDATE photos SET preference_score = CASE id WHEN :late THEN 90 WHEN :early THEN 10 END",
        late=late,
        early=early,
    )
    await trust_taste(shoot)
    by_match = await opened(shoot)
    assert await order(shoot, by_match) == [early, late, unscored]
    await decide(shoot, early, action="keep")
    by_capture = await shoot.post("/api/review/passes", **{"pass": "cull", "order": "captured"})
    assert (by_capture["n"], by_capture["position"]) == (2, 1)
    assert await order(shoot, by_capture) == [late, unscored]
    answer = await shoot.site.client.patch("/api/preferences", json={"cull_order": "newest"})
    assert answer.status_code == 200
    newest = await opened(shoot)
    assert await order(shoot, newest) == [unscored, late]
    assert await opened(shoot) == newest
    assert await order(shoot, by_match) == [early, late, unscored]


async def test_only_what_nothing_was_said_about_is_culled(shoot: Shoot) -> None:
    rated, picked, kept, rejected, left = await some(shoot, *[None] * 5)
    await shoot.photo(9 * FAR, preview=None)
    await decide(shoot, rated, user_rating=3)
    await decide(shoot, picked, manual_match=True)
    await decide(shoot, kept, action="keep")
    await decide(shoot, rejected, action="reject")
    assert await order(shoot, await opened(shoot)) == [left]


async def test_a_retrain_and_another_tab_change_neither_the_order_nor_the_place(shoot: Shoot) -> None:
    first, second, third = await some(shoot, 10, 20, 30)
    await trust_taste(shoot)
    pass_ = await opened(shoot)
    before = await order(shoot, pass_)
    await shoot.sql("UPDATE photos SET preference_score = 100 - preference_score")
    await decide(shoot, second, user_rating=5)
    await decide(shoot, third, action="reject")
    assert await order(shoot, pass_) == before == [first, second, third]
    assert [stop["decided"] for stop in await stops(shoot, pass_)] == [False, True, True]
    again = await opened(shoot)
    assert again == pass_
    assert await order(shoot, again) == before


async def test_reopening_goes_on_at_the_first_undecided_photo(shoot: Shoot) -> None:
    first, second, third = await some(shoot, None, None, None)
    pass_ = await opened(shoot)
    await decide(shoot, first, action="keep")
    done = await decide(shoot, second, action="reject")
    assert (await opened(shoot))["position"] == 3
    await shoot.post(f"/api/decisions/{done['undo']}/undo")
    assert (await opened(shoot))["position"] == 2
    await decide(shoot, second, third, user_rating=2)
    assert await opened(shoot) == {**pass_, "position": 4}
    answer = await shoot.site.client.get(f"/api/review/passes/{pass_['id']}")
    came_of_it = {"n": 3, "position": 4, "kept": 3, "rejected": 0, "passed_over": 0, "more": 0, "to_rate": 1}
    assert answer.json() == came_of_it


async def test_new_photos_come_after_the_last_whatever_their_score(shoot: Shoot) -> None:
    await trust_taste(shoot)
    photos = await some(shoot, 40, 60)
    pass_ = await opened(shoot)
    worse, worst = await some(shoot, 5, 1, start=10)
    assert await order(shoot, pass_) == photos
    assert await more(shoot, pass_) == 2
    again = await opened(shoot)
    assert again == {**pass_, "n": 4}
    assert await more(shoot, again) == 0
    assert await order(shoot, again) == [*photos, worst, worse]


async def test_a_pass_that_is_done_gives_way_to_a_new_one_when_photos_come(shoot: Shoot) -> None:
    (photo,) = await some(shoot, None)
    pass_ = await opened(shoot)
    await decide(shoot, photo, action="keep")
    (fresh,) = await some(shoot, None, start=10)
    new = await opened(shoot)
    assert new["id"] != pass_["id"]
    assert (new["n"], new["position"]) == (1, 1)
    assert await order(shoot, new) == [fresh]
    assert await order(shoot, pass_) == [photo]


async def test_a_burst_is_one_stop_that_shows_its_best(shoot: Shoot) -> None:
    frames = [await shoot.photo(n, sharpness_score=50 + n) for n in range(3)]
    alone = await shoot.photo(FAR)
    await shoot.search()
    pass_ = await opened(shoot)
    found = await stops(shoot, pass_)
    assert [(stop["photo"]["id"], stop["frames"]) for stop in found] == [(frames[2], 3), (alone, 1)]
    burst = await shoot.only()
    await shoot.post(f"/api/bursts/{burst['id']}/keep-best", best_id=frames[0])
    again = await opened(shoot)
    assert again == {**pass_, "position": 2}
    assert [stop["decided"] for stop in await stops(shoot, again)] == [True, False]


async def test_a_burst_whose_best_is_rejected_shows_the_next_best_at_the_same_place(shoot: Shoot) -> None:
    frames = [await shoot.photo(n, sharpness_score=50 + n) for n in range(3)]
    await shoot.search()
    pass_ = await opened(shoot)
    for left in (frames[1], frames[0]):
        await decide(shoot, await shown(shoot, pass_), action="reject")
        assert await shown(shoot, pass_) == left
        assert await opened(shoot) == pass_
    await decide(shoot, frames[0], action="reject")
    assert await opened(shoot) == {**pass_, "position": 2}


async def test_bursts_are_found_in_both_directions(shoot: Shoot) -> None:
    alone, other = await shoot.photos(5 * FAR, 20 * FAR)
    for start in (0, 10 * FAR):
        for n in range(2):
            await shoot.photo(start + n)
    await shoot.search()
    pass_ = await opened(shoot)
    assert [stop["frames"] for stop in await stops(shoot, pass_)] == [2, 1, 2, 1]

    async def burst(**query: Any) -> int | None:
        answer = await shoot.site.client.get(f"/api/review/passes/{pass_['id']}/burst", params=query)
        found: int | None = answer.json()["place"]
        return found

    assert [await burst(**{"from": place}) for place in (0, 1, 2, 3)] == [1, 3, 3, None]
    assert [await burst(**{"from": place, "way": "previous"}) for place in (1, 3, 4, 5)] == [None, 1, 3, 3]
    await decide(shoot, alone, other, action="reject")
    later = (await shoot.bursts())["items"][0]
    await shoot.post(f"/api/bursts/{later['id']}/keep-best")
    assert await burst(**{"from": 1}) is None


async def shown(shoot: Shoot, pass_: dict[str, Any]) -> int:
    (only,) = await order(shoot, pass_)
    return only


async def test_the_rest_of_a_burst_is_no_new_stop_of_the_same_pass(shoot: Shoot) -> None:
    for n in range(3):
        await shoot.photo(n, sharpness_score=50 + n)
    await shoot.photo(FAR)
    await shoot.search()
    pass_ = await opened(shoot)
    await decide(shoot, (await order(shoot, pass_))[0], user_rating=4)
    assert await opened(shoot) == {**pass_, "position": 2}


async def test_what_was_kept_is_rated_those_without_stars_first(shoot: Shoot) -> None:
    rated, kept, _undecided, rejected = await some(shoot, *[None] * 4)
    await decide(shoot, rated, user_rating=4)
    await decide(shoot, kept, rejected, action="keep")
    await decide(shoot, rejected, action="reject")
    pass_ = await opened(shoot, "rate")
    assert await order(shoot, pass_) == [kept, rated]
    await decide(shoot, kept, user_rating=3)
    assert await opened(shoot, "rate") == {**pass_, "position": 3}


async def test_a_removed_photo_leaves_a_gap_and_nothing_moves(shoot: Shoot) -> None:
    first, second, third = await some(shoot, None, None, None)
    pass_ = await opened(shoot)
    await shoot.sql("UPDATE photos SET deleted_at = now() WHERE id = :id", id=second)
    found = await stops(shoot, pass_)
    assert [(stop["place"], stop["photo"]["id"]) for stop in found] == [(1, first), (3, third)]
    assert await opened(shoot) == pass_


async def test_stops_come_in_parts_and_an_unknown_pass_is_said(shoot: Shoot) -> None:
    photos = await some(shoot, *[None] * 5)
    pass_ = await opened(shoot)
    part = await stops(shoot, pass_, **{"from": 2, "limit": 2})
    assert [stop["photo"]["id"] for stop in part] == photos[1:3]
    assert (await opened(shoot, "rate"))["n"] == 0
    answer = await shoot.site.client.get("/api/review/passes/999/items")
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "unknown_pass")
    refused = await shoot.site.client.post("/api/review/passes", json={"pass": "skim"})
    assert refused.status_code == 422
