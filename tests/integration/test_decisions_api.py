"""Decisions over HTTP: stars, picks, keeping and rejecting, each with its undo."""

import asyncio
import json
import uuid
from datetime import UTC, datetime
from typing import Any

import httpx
from sqlalchemy import text

from orchestrator.models import Photo
from orchestrator.review import service
from orchestrator.review.service import Change
from tests import factories
from tests.site import Site

JSON = {"content-type": "application/json"}
LONG_AGO = datetime(2024, 5, 4, tzinfo=UTC)


async def some_photos(site: Site, *fields: dict[str, Any]) -> list[int]:
    async with site.session() as session:
        root = await factories.a_root(session)
        photos = [await factories.a_photo(session, root, f"DSC_{n:04}.jpg", **field) for n, field in enumerate(fields)]
        await session.commit()
    return [photo.id for photo in photos]


async def patch(site: Site, photo_id: int, **fields: Any) -> dict[str, Any]:
    answer = await site.client.patch(f"/api/photos/{photo_id}", json=fields)
    assert answer.status_code == 200, answer.text
    decided: dict[str, Any] = answer.json()
    return decided


async def act(site: Site, photo_id: int, action: str) -> dict[str, Any]:
    decided: dict[str, Any] = (await site.client.post(f"/api/photos/{photo_id}/{action}")).raise_for_status().json()
    return decided


async def decide(site: Site, ids: list[int], **fields: Any) -> dict[str, Any]:
    answer = await site.client.post("/api/decisions", json={"ids": ids, **fields})
    decided: dict[str, Any] = answer.raise_for_status().json()
    return decided


async def undo(site: Site, batch: str, as_batch: str | None = None) -> dict[str, Any]:
    answer = await site.client.post(f"/api/decisions/{batch}/undo", json={"batch": as_batch} if as_batch else None)
    decided: dict[str, Any] = answer.raise_for_status().json()
    return decided


async def photo(site: Site, photo_id: int) -> Photo:
    async with site.session() as session:
        found = await session.get(Photo, photo_id)
    assert found is not None
    return found


async def history(site: Site, photo_id: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await site.client.get(f"/api/photos/{photo_id}/history")).json()["items"]
    return found


async def trainings(site: Site) -> int:
    async with site.session() as session:
        return int((await session.execute(text("SELECT requested_seq FROM taste_state"))).scalar_one())


async def test_a_rating_keeps_and_says_what_undoes_it(site: Site) -> None:
    (id_,) = await some_photos(site, {})
    decided = await patch(site, id_, user_rating=4)
    (item,) = decided["items"]
    assert (item["id"], item["user_rating"], item["kept"], item["rejected"]) == (id_, 4, True, False)
    assert decided["undo"]
    assert decided["message"] is None


async def test_a_pick_keeps_and_is_a_match(site: Site) -> None:
    (id_,) = await some_photos(site, {"rejected_at": LONG_AGO})
    (item,) = (await patch(site, id_, manual_match=True))["items"]
    assert (item["manual_match"], item["is_match"], item["kept"]) == (True, True, True)
    assert item["rejected"], "only keeping and restoring bring a rejected photo back"
    (item,) = (await patch(site, id_, manual_match=False))["items"]
    assert (item["manual_match"], item["kept"]) == (False, True)


async def test_clearing_stars_touches_neither_pick_nor_keep(site: Site) -> None:
    (id_,) = await some_photos(site, {"user_rating": 3, "manual_match": True, "kept_at": LONG_AGO})
    (item,) = (await patch(site, id_, user_rating=None))["items"]
    assert (item["user_rating"], item["manual_match"], item["kept"]) == (None, True, True)
    assert (await photo(site, id_)).kept_at == LONG_AGO


async def test_rejecting_keeps_everything_and_restoring_gives_it_back(site: Site) -> None:
    (id_,) = await some_photos(site, {"user_rating": 3, "manual_match": True, "kept_at": LONG_AGO, "tags": ["ice"]})
    before = await photo(site, id_)
    (item,) = (await act(site, id_, "reject"))["items"]
    assert (item["rejected"], item["user_rating"], item["manual_match"], item["kept"]) == (True, 3, True, True)
    await act(site, id_, "restore")
    assert await photo(site, id_) == before


async def test_keeping_brings_a_rejected_photo_back(site: Site) -> None:
    (id_,) = await some_photos(site, {"rejected_at": LONG_AGO})
    (item,) = (await act(site, id_, "keep"))["items"]
    assert (item["kept"], item["rejected"]) == (True, False)


async def test_what_is_so_already_is_no_decision(site: Site) -> None:
    (id_,) = await some_photos(site, {"user_rating": 4, "kept_at": LONG_AGO, "rejected_at": LONG_AGO, "tags": ["ice"]})
    for decided in (
        await patch(site, id_, user_rating=4, manual_match=False, tags=["ice"], project=None),
        await act(site, id_, "reject"),
    ):
        assert decided["undo"] is None
        assert decided["message"] == "Nothing changed: it was so already."
        assert decided["items"][0]["id"] == id_
    assert await history(site, id_) == []
    assert await trainings(site) == 0


async def test_a_project_is_made_by_its_name_and_taken_away(site: Site) -> None:
    one, two = await some_photos(site, {}, {})
    decided = await patch(site, one, project="  Iceland & more ")
    assert decided["items"][0]["project"] == "Iceland & more"
    await patch(site, two, project="Iceland & more")
    async with site.session() as session:
        assert (await session.execute(text("SELECT count(*) FROM projects"))).scalar_one() == 1
    assert (await patch(site, one, project=None))["items"][0]["project"] is None
    told = [(event["before"], event["after"]) for event in await history(site, one)]
    assert told == [
        ({"project": "Iceland & more"}, {"project": None}),
        ({"project": None}, {"project": "Iceland & more"}),
    ]


async def test_tags_are_cleaned_and_can_be_the_suggested_ones_again(site: Site) -> None:
    (id_,) = await some_photos(site, {"suggested_tags": ["glacier"]})
    await patch(site, id_, tags=[" ice ", "", "Ice", "snow", "   "])
    description = (await site.client.get(f"/api/photos/{id_}")).json()["description"]
    assert (description["tags"], description["suggested_tags"]) == (["ice", "snow"], ["glacier"])
    await patch(site, id_, tags=None)
    assert (await site.client.get(f"/api/photos/{id_}")).json()["description"]["tags"] == ["glacier"]


async def test_undo_takes_back_and_undoing_the_undo_does_it_again(site: Site) -> None:
    (id_,) = await some_photos(site, {"user_rating": 2})
    rated = await patch(site, id_, user_rating=5, manual_match=True, project="Iceland", tags=["ice"])
    undone = await undo(site, rated["undo"])
    (item,) = undone["items"]
    assert (item["user_rating"], item["manual_match"], item["project"]) == (2, False, None)
    assert (await photo(site, id_)).tags is None
    redone = await undo(site, undone["undo"])
    (item,) = redone["items"]
    assert (item["user_rating"], item["manual_match"], item["kept"], item["project"]) == (5, True, True, "Iceland")
    assert (await undo(site, redone["undo"]))["items"][0]["user_rating"] == 2
    assert [event["source"] for event in await history(site, id_)] == ["undo", "undo", "undo", "person"]


async def test_a_second_undo_does_nothing_and_says_so(site: Site) -> None:
    (id_,) = await some_photos(site, {})
    rated = await patch(site, id_, user_rating=4)
    await undo(site, rated["undo"])
    await patch(site, id_, user_rating=4)  # it looks as it did after the first decision
    again = await undo(site, rated["undo"])
    assert (again["items"], again["undo"]) == ([], None)
    assert again["message"].startswith("Nothing was taken back")
    assert (await photo(site, id_)).user_rating == 4


async def test_two_undos_at_once_take_back_once(site: Site) -> None:
    (id_,) = await some_photos(site, {})
    rated = await patch(site, id_, user_rating=4)
    both = await asyncio.gather(undo(site, rated["undo"]), undo(site, rated["undo"]))
    assert sorted(bool(undone["undo"]) for undone in both) == [False, True]
    assert len(await history(site, id_)) == 2


async def test_undo_leaves_what_was_changed_again_since(site: Site) -> None:
    one, two = await some_photos(site, {}, {})
    both = await decide(site, [one, two], user_rating=3, project="Iceland")
    await patch(site, one, user_rating=5)
    undone = await undo(site, both["undo"])
    assert {item["id"]: item["user_rating"] for item in undone["items"]} == {one: 5, two: None}
    assert {item["id"]: item["kept"] for item in undone["items"]} == {one: True, two: False}
    assert {item["project"] for item in undone["items"]} == {None}
    await patch(site, two, user_rating=1)
    redone = await undo(site, undone["undo"])
    assert {item["id"]: item["user_rating"] for item in redone["items"]} == {one: 5, two: 1}
    assert {item["project"] for item in redone["items"]} == {"Iceland"}


async def test_undo_does_not_take_the_keep_of_a_later_pick(site: Site) -> None:
    (id_,) = await some_photos(site, {})
    rated = await patch(site, id_, user_rating=3)
    await patch(site, id_, manual_match=True)
    (item,) = (await undo(site, rated["undo"]))["items"]
    assert (item["user_rating"], item["manual_match"], item["kept"]) == (None, True, True)


async def test_undo_passes_over_a_project_that_is_gone(site: Site) -> None:
    (id_,) = await some_photos(site, {})
    await patch(site, id_, project="Iceland")
    moved = await patch(site, id_, project="Norway", user_rating=2)
    async with site.session() as session:
        await session.execute(text("DELETE FROM projects WHERE name = 'Iceland'"))
        await session.commit()
    (item,) = (await undo(site, moved["undo"]))["items"]
    assert (item["user_rating"], item["project"]) == (None, "Norway")


async def test_one_decision_about_many_photos_is_undone_as_one(site: Site) -> None:
    ids = await some_photos(site, {}, {"rejected_at": LONG_AGO}, {}, {"deleted_at": LONG_AGO})
    decided = await decide(site, [*ids, 123456, ids[0]], action="reject")
    assert sorted(item["id"] for item in decided["items"]) == ids[:3]
    assert all(item["rejected"] for item in decided["items"])
    undone = await undo(site, decided["undo"])
    assert sorted(item["id"] for item in undone["items"]) == [ids[0], ids[2]]
    assert (await photo(site, ids[1])).rejected_at == LONG_AGO


async def test_a_decision_about_thousands_is_undone_at_once(site: Site) -> None:
    await some_photos(site, {})
    copies = """INSERT INTO photos (root_id, file_name, file_path, has_gps, manual_match)
      SELECT root_id, 'DSC_' || n, file_path, false, false FROM photos, generate_series(1, 2499) n RETURNING id"""
    async with site.services.sessions.begin() as session:
        ids = [int(id_) for id_ in await session.scalars(text(copies))]
        rejected = await service.decide(session, [Change(id_, {"rejected_at": LONG_AGO}) for id_ in ids])
    undone = await undo(site, str(rejected.batch))
    assert len(undone["items"]) == 1_000, "as many as one answer tells"
    async with site.session() as session:
        count = "SELECT count(*) FROM photos WHERE rejected_at IS NOT NULL"
        assert (await session.execute(text(count))).scalar_one() == 0


async def test_pick_and_reject_are_cleared_by_one_decision(site: Site) -> None:
    (id_,) = await some_photos(site, {"manual_match": True, "rejected_at": LONG_AGO, "user_rating": 2})
    (item,) = (await decide(site, [id_], manual_match=False, action="restore"))["items"]
    assert (item["manual_match"], item["rejected"], item["user_rating"]) == (False, False, 2)
    assert len(await history(site, id_)) == 1


async def test_a_decision_sent_twice_is_made_once(site: Site) -> None:
    (id_,) = await some_photos(site, {})
    batch = str(uuid.uuid4())
    first, second = await asyncio.gather(*(decide(site, [id_], user_rating=4, batch=batch) for _ in range(2)))
    assert first == second
    assert first["undo"] == batch
    undoing = str(uuid.uuid4())
    undone = [await undo(site, first["undo"], as_batch=undoing) for _ in range(2)]
    assert undone[0] == undone[1]
    assert undone[0]["undo"] == undoing
    late = await decide(site, [id_], user_rating=4, batch=batch)
    assert late["items"][0]["user_rating"] is None, "its undo stays"
    assert len(await history(site, id_)) == 2
    (await site.client.post("/api/removals", json={"ids": [id_]})).raise_for_status()
    gone = await decide(site, [id_], user_rating=4, batch=batch)
    assert (gone["undo"], gone["items"]) == (batch, []), "it was made before the photo was removed"


async def test_two_tabs_rating_the_same_photo_leave_the_last_and_both_events(site: Site) -> None:
    (id_,) = await some_photos(site, {})
    await asyncio.gather(*(patch(site, id_, user_rating=stars) for stars in (2, 5)))
    events = await history(site, id_)
    assert len(events) == 2
    assert events[0]["before"]["user_rating"] == events[1]["after"]["user_rating"]
    assert (await photo(site, id_)).user_rating == events[0]["after"]["user_rating"]


async def test_a_training_is_asked_for_when_and_only_when_ratings_change(site: Site) -> None:
    rated, unrated = await some_photos(site, {"user_rating": 3}, {})

    async def asks(decision: Any) -> bool:
        before = await trainings(site)
        await decision
        return await trainings(site) > before

    assert await asks(patch(site, unrated, user_rating=4))
    assert await asks(patch(site, unrated, user_rating=None))
    assert await asks(act(site, rated, "reject"))
    assert await asks(act(site, rated, "restore"))
    assert not await asks(act(site, unrated, "reject"))
    assert not await asks(act(site, unrated, "restore"))
    assert not await asks(act(site, rated, "keep"))
    assert not await asks(patch(site, rated, manual_match=True, tags=["ice"], project="Iceland"))
    rejected = await act(site, rated, "reject")
    assert await asks(undo(site, rejected["undo"]))


async def test_a_rating_while_the_embedding_is_in_flight_is_kept(site: Site) -> None:
    (id_,) = await some_photos(site, {})
    async with site.session() as session:
        await factories.a_run(session, await photo(site, id_), "embed", state="published")
        await session.commit()
    (item,) = (await patch(site, id_, user_rating=5))["items"]
    assert (item["user_rating"], item["stages"]) == (5, {"embed": "published"})


async def test_a_decision_waits_for_a_transaction_that_is_ended_and_passes(site: Site) -> None:
    """Two decisions and a third party in a circle: PostgreSQL ends one of them, and it is tried again."""
    one, two = await some_photos(site, {}, {})
    async with site.session() as other:
        await other.execute(text("SELECT 1 FROM photos WHERE id = :id FOR UPDATE"), {"id": two})
        deciding = asyncio.create_task(decide(site, [one, two], user_rating=3))
        await site.until_somebody_waits_for_a_lock()
        # Whoever notices the circle first is ended: this transaction is told to be patient.
        await other.execute(text("SET LOCAL deadlock_timeout = '30s'"))
        await other.execute(text("SELECT 1 FROM photos WHERE id = :id FOR UPDATE"), {"id": one})
        await other.commit()
    assert {item["user_rating"] for item in (await deciding)["items"]} == {3}


BAD: list[tuple[Any, str | None]] = [
    ({"user_rating": 0}, "user_rating: a rating is a whole number from 1 to 5, or null to clear it."),
    ({"user_rating": 6}, "user_rating: a rating is a whole number from 1 to 5, or null to clear it."),
    ({"user_rating": 3.5}, "user_rating: a rating is a whole number from 1 to 5, or null to clear it."),
    ({"user_rating": True}, "user_rating: a rating is a whole number from 1 to 5, or null to clear it."),
    ({"user_rating": "4"}, "user_rating: a rating is a whole number from 1 to 5, or null to clear it."),
    ({"user_rating": 10**30}, "user_rating: a rating is a whole number from 1 to 5, or null to clear it."),
    ({"manual_match": None}, "manual_match: a pick is true or false."),
    ({"manual_match": 1}, "manual_match: a pick is true or false."),
    ({"project": ""}, None),
    ({"project": "x" * 201}, None),
    ({"project": "Ice\0land"}, None),
    ({"project": "\ud800"}, None),
    ({"tags": "ice"}, "tags: tags are a list of texts, or null for the suggested ones."),
    ({"tags": [1]}, "tags: a tag is a text."),
    ({"tags": ["x" * 81]}, "tags: a tag has at most 80 characters."),
    ({"tags": ["\0"]}, None),
    ({"tags": [str(n) for n in range(51)]}, "tags: a photo has at most 50 tags."),
    ({"stars": 4}, "stars: there is no such field."),
    ({"user_rating": 4, "rejected_at": None}, "rejected_at: there is no such field."),
    ({}, "the request: say what is decided: user_rating, manual_match, project or tags."),
    ([], None),
]


async def test_a_bad_decision_changes_nothing_and_gets_a_sentence(site: Site) -> None:
    (id_,) = await some_photos(site, {})
    for body, sentence in BAD:
        content = json.dumps(body).encode()
        answer = await site.client.patch(f"/api/photos/{id_}", content=content, headers=JSON)
        assert answer.status_code == 422, body
        message = answer.json()["error"]["message"]
        assert message == sentence if sentence else message.endswith("."), body
    assert await history(site, id_) == []


BAD_FOR_MANY: list[dict[str, Any]] = [
    {"ids": [], "action": "keep"},
    {"ids": list(range(1001)), "action": "keep"},
    {"ids": [True], "action": "keep"},
    {"ids": ["1"], "action": "keep"},
    {"ids": [1]},
    {"ids": [1], "action": "burn"},
    {"ids": [1], "action": "keep", "batch": "x"},
    {"ids": [1], "user_rating": 9},
    {"ids": [1], "add_tags": []},
    {"ids": [1], "add_tags": None},
    {"ids": [1], "remove_tags": ["x" * 81]},
    {"ids": [1], "add_tags": ["Dog"], "remove_tags": ["dog"]},
    {"ids": [1], "add_tags": ["dog"], "tags": ["cat"]},
    {"action": "keep"},
]


async def test_a_bad_decision_about_many_gets_a_sentence(site: Site) -> None:
    for body in BAD_FOR_MANY:
        answer = await site.client.post("/api/decisions", json=body)
        assert answer.status_code == 422, body
        assert answer.json()["error"]["message"].endswith(".")


async def test_photos_and_decisions_that_are_not_there_are_not_found(site: Site) -> None:
    (removed,) = await some_photos(site, {"deleted_at": LONG_AGO})
    for id_ in (removed, 123456):
        answers: list[httpx.Response] = [
            await site.client.patch(f"/api/photos/{id_}", json={"user_rating": 4, "project": "Iceland"}),
            *[await site.client.post(f"/api/photos/{id_}/{action}") for action in ("keep", "reject", "restore")],
            await site.client.post("/api/decisions", json={"ids": [id_], "action": "keep"}),
            await site.client.post("/api/removals", json={"ids": [id_]}),
            await site.client.post(f"/api/photos/{id_}/describe"),
            *[await site.client.get(f"/api/photos/{id_}{what}") for what in ("", "/history", "/why")],
        ]
        assert {answer.status_code for answer in answers} == {404}
        said = {(answer.json()["error"]["type"], answer.json()["error"]["message"]) for answer in answers}
        assert said == {("unknown_photo", "This photo is not in Keepers: it was removed, or never there.")}
    answer = await site.client.post(f"/api/decisions/{uuid.uuid4()}/undo")
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "unknown_decision")
    async with site.session() as session:
        assert (await session.execute(text("SELECT count(*) FROM projects"))).scalar_one() == 0
