"""What the person decides about bursts over JSON, and what becomes of it when bursts are found again."""

from tests import factories
from tests.shoot import Shoot


async def test_the_sharpest_is_proposed_and_the_person_may_choose_another(shoot: Shoot) -> None:
    soft = await shoot.photo(0, sharpness_score=None)
    sharp = await shoot.photo(1, sharpness_score=80)
    await shoot.search()
    burst = await shoot.only()
    assert burst["best_id"] == sharp
    answer = await shoot.post(f"/api/bursts/{burst['id']}/best", photo_id=soft)
    assert answer["burst"]["best_id"] == soft
    assert [frame["is_chosen"] for frame in answer["burst"]["frames"]] == [True, False]
    await shoot.search()
    assert (await shoot.only())["best_id"] == soft
    await shoot.post(f"/api/decisions/{answer['undo']}/undo")
    assert (await shoot.only())["best_id"] == sharp


async def test_choosing_a_second_time_leaves_one_best(shoot: Shoot) -> None:
    first, second = await shoot.photos(0, 1)
    await shoot.search()
    burst = await shoot.only()
    await shoot.post(f"/api/bursts/{burst['id']}/best", photo_id=first)
    answer = await shoot.post(f"/api/bursts/{burst['id']}/best", photo_id=second)
    assert [frame["is_chosen"] for frame in answer["burst"]["frames"]] == [False, True]


async def test_keep_best_keeps_one_rejects_the_rest_and_undo_brings_all_back(shoot: Shoot) -> None:
    photos = [await shoot.photo(second, sharpness_score=50 + second) for second in range(4)]
    await shoot.search()
    burst = await shoot.only()
    done = await shoot.post(f"/api/bursts/{burst['id']}/keep-best")
    assert (done["kept"], done["rejected"]) == (1, 3)
    assert await shoot.rejected() == photos[:3]
    card = await shoot.card(photos[3])
    assert (card["kept"], card["rejected"], card["burst"]) == (True, False, None)
    assert (await shoot.bursts())["totals"]["groups"] == 0
    await shoot.post(f"/api/decisions/{done['undo']}/undo")
    assert await shoot.rejected() == []
    assert await shoot.only() == burst


async def test_keep_best_can_be_undone_after_the_bursts_were_found_again(shoot: Shoot) -> None:
    photos = await shoot.photos(0, 1, 2)
    await shoot.search()
    burst = await shoot.only()
    done = await shoot.post(f"/api/bursts/{burst['id']}/keep-best", best_id=photos[1])
    await shoot.search()
    assert (await shoot.bursts())["items"] == []
    assert await shoot.rejected() == [photos[0], photos[2]]
    await shoot.post(f"/api/decisions/{done['undo']}/undo")
    assert await shoot.groups() == [photos]
    assert (await shoot.only())["id"] == burst["id"]


async def test_the_best_of_two_bursts_are_no_burst_of_their_own_once_the_rest_is_rejected(shoot: Shoot) -> None:
    """A long series is cut in two; what was kept of each half is near and alike, and was decided about."""
    await shoot.photos(*(0.1 * i for i in range(40)))
    await shoot.sql("UPDATE photos SET burst_best_at = now() WHERE id IN (SELECT id FROM photos ORDER BY id LIMIT 1)")
    await shoot.sql("UPDATE photos SET burst_best_at = now() WHERE id IN (SELECT max(id) - 9 FROM photos)")
    await shoot.search()
    assert [len(group) for group in await shoot.groups()] == [30, 10]
    assert (await shoot.post("/api/bursts/keep-best"))["groups"] == 2
    await shoot.search()
    assert (await shoot.bursts())["totals"] == {"photos": 0, "groups": 0, "brackets": 0}


async def test_keep_all_dissolves_the_burst_for_good_and_undo_brings_it_back(shoot: Shoot) -> None:
    photos = await shoot.photos(0, 1, 2)
    await shoot.search()
    burst = await shoot.only()
    done = await shoot.post(f"/api/bursts/{burst['id']}/keep-all")
    assert done["burst"] is None
    await shoot.photo(3)
    await shoot.search()
    assert await shoot.groups() == []
    assert (await shoot.card(photos[0]))["burst"] is None
    assert await shoot.rejected() == []
    await shoot.post(f"/api/decisions/{done['undo']}/undo")
    assert await shoot.groups() == [photos]
    await shoot.search()
    assert len((await shoot.only())["frames"]) == 4


async def test_keep_best_of_all_leaves_brackets_out_and_spares_what_the_person_spoke_for(shoot: Shoot) -> None:
    best = await shoot.photo(0, sharpness_score=90)
    loser = await shoot.photo(1, sharpness_score=50, user_rating=2, kept_at=factories.minutes_ago(1))
    four_stars = await shoot.photo(2, sharpness_score=50, user_rating=4, kept_at=factories.minutes_ago(1))
    pick = await shoot.photo(3, sharpness_score=50, manual_match=True)
    kept = await shoot.photo(4, sharpness_score=50, kept_at=factories.minutes_ago(1))
    others = [await shoot.photo(100 + second, sharpness_score=70 - second) for second in range(2)]
    for second, bias in enumerate((0, -1, 1)):
        await shoot.photo(200 + second, exposure_bias_ev=bias)
    await shoot.search()
    assert (await shoot.bursts())["totals"] == {"photos": 10, "groups": 3, "brackets": 1}
    done = await shoot.post("/api/bursts/keep-best")
    undo = done.pop("undo")
    assert done == {"groups": 2, "kept": 2, "rejected": 2, "spared": 3, "brackets": 1}
    assert await shoot.rejected() == [loser, others[1]]
    assert (await shoot.bursts())["totals"] == {"photos": 7, "groups": 2, "brackets": 1}
    assert await shoot.groups() == [[best, four_stars, pick, kept], (await shoot.groups())[1]]
    await shoot.post(f"/api/decisions/{undo}/undo")
    assert await shoot.rejected() == []
    assert (await shoot.bursts())["totals"] == {"photos": 10, "groups": 3, "brackets": 1}


async def test_keep_best_of_all_with_nothing_to_decide_changes_nothing(shoot: Shoot) -> None:
    done = await shoot.post("/api/bursts/keep-best")
    assert done == {"undo": None, "groups": 0, "kept": 0, "rejected": 0, "spared": 0, "brackets": 0}


async def test_rejecting_one_frame_elsewhere_makes_the_burst_smaller_and_another_frame_its_best(shoot: Shoot) -> None:
    photos = [await shoot.photo(second, sharpness_score=90 - second) for second in range(3)]
    await shoot.search()
    await shoot.post(f"/api/photos/{photos[0]}/reject")
    burst = await shoot.only()
    assert (burst["size"], burst["best_id"]) == (2, photos[1])
    await shoot.post(f"/api/photos/{photos[0]}/restore")
    burst = await shoot.only()
    assert (burst["size"], burst["best_id"]) == (3, photos[0])


async def test_bad_choices_are_refused_with_a_sentence(shoot: Shoot) -> None:
    photos = await shoot.photos(0, 1, 2)
    stranger = await shoot.photo(500)
    await shoot.search()
    path = f"/api/bursts/{(await shoot.only())['id']}"
    unknown = (404, "unknown_burst")
    assert (await shoot.refusal("/api/bursts/9999/keep-best"))[:2] == unknown
    assert (await shoot.refusal("/api/bursts/9999/keep-all"))[:2] == unknown
    assert (await shoot.refusal("/api/bursts/9999/best", photo_id=photos[0]))[:2] == unknown
    assert (await shoot.site.client.get("/api/bursts/9999")).status_code == 404
    sentence = f"Photo {stranger} is not in this burst, or was rejected or removed."
    assert await shoot.refusal(f"{path}/best", photo_id=stranger) == (422, "not_in_burst", sentence)
    assert await shoot.refusal(f"{path}/keep-best", best_id=stranger) == (422, "not_in_burst", sentence)
    assert (await shoot.refusal(f"{path}/best", photo_id="x"))[:2] == (422, "invalid")
    await shoot.post(f"{path}/keep-all")
    status, kind, message = await shoot.refusal(f"{path}/keep-best")
    assert (status, kind) == (409, "burst_dissolved")
    assert message == "All photos of this burst were kept: it is none any more."


async def test_a_burst_that_is_decided_cannot_be_decided_again(shoot: Shoot) -> None:
    await shoot.photos(0, 1)
    await shoot.search()
    path = f"/api/bursts/{(await shoot.only())['id']}"
    await shoot.post(f"{path}/keep-best")
    assert (await shoot.refusal(f"{path}/keep-best"))[:2] == (409, "burst_decided")
