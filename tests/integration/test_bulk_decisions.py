"""One decision about all that the gallery shows, and its undo."""

import asyncio
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from tests import factories
from tests.site import Site

LONG_AGO = datetime(2024, 5, 4, tzinfo=UTC)
ALIKE = """INSERT INTO photos (root_id, file_name, file_path, preview, thumbnail, user_rating, subject)
  SELECT root_id, 'DSC_' || n, file_path, 'previews/' || n, 'thumbnails/' || n, CASE WHEN n % 2 = 0 THEN 3 END,
    'lighthouse' FROM photos, generate_series(1, :count) AS n"""


async def some_photos(site: Site, *fields: dict[str, Any]) -> list[int]:
    async with site.services.sessions.begin() as session:
        root = await factories.a_root(session)
        photos = [await factories.a_photo(session, root, f"DSC_{n:04}.jpg", **field) for n, field in enumerate(fields)]
    return [photo.id for photo in photos]


async def many_photos(site: Site, count: int) -> None:
    """So many beside a first one."""
    await some_photos(site, {"subject": "harbour"})
    async with site.services.sessions.begin() as session:
        await session.execute(text(ALIKE), {"count": count})


async def decide(site: Site, shown: dict[str, Any], **wish: Any) -> dict[str, Any]:
    answer = await site.client.post("/api/decisions", json={"selection": shown, **wish}, timeout=60)
    assert answer.status_code == 200, answer.text
    decided: dict[str, Any] = answer.json()
    return decided


async def undo(site: Site, batch: str) -> dict[str, Any]:
    undone: dict[str, Any] = (await site.client.post(f"/api/decisions/{batch}/undo")).raise_for_status().json()
    return undone


async def sql(site: Site, statement: str, **values: Any) -> list[dict[str, Any]]:
    async with site.session() as session:
        return [dict(row) for row in (await session.execute(text(statement), values)).mappings()]


async def count(site: Site, which: str) -> int:
    (row,) = await sql(site, f"SELECT count(*) AS n FROM photos WHERE {which}")
    return int(row["n"])


SHOWN: list[dict[str, Any]] = [
    {},
    {"filter": "all"},
    {"filter": "rated"},
    {"filter": "unrated"},
    {"filter": "match"},
    {"filter": "nomatch"},
    {"filter": "rejected"},
    {"filter": "for-projects"},
    {"filter": "bursts"},
    {"filter": "failed"},
    {"project": "Iceland"},
    {"project": "Nowhere"},
    {"camera": "Z 9"},
    {"content_type": "street"},
    {"tag": "Ice"},
    {"q": "glacier"},
    {"q": "DSC_0003", "filter": "rejected"},
    {"from": "2024-06-02", "to": "2024-06-03"},
    {"technical": 80},
    {"import": 1},
    {"import": 1, "filter": "rated", "camera": "Z 9"},
]


async def a_mixed_archive(site: Site) -> list[int]:
    async with site.services.sessions.begin() as session:
        project = await factories.a_project(session, "Iceland")
        await session.execute(text("INSERT INTO bursts (id, kind, size, started_at) VALUES (7, 'burst', 2, now())"))
    ids = await some_photos(
        site,
        {"user_rating": 5, "camera_model": "Z 9", "captured_at": datetime(2024, 6, 1)},
        {"user_rating": 2, "project_id": project.id, "captured_at": datetime(2024, 6, 2, 23, 59)},
        {"manual_match": True, "burst_id": 7, "content_type": "street", "captured_at": datetime(2024, 6, 3, 23, 59)},
        {"rejected_at": LONG_AGO, "burst_id": 7, "subject": "A glacier"},
        {"subject": "A glacier", "tags": ["Ice"], "technical_score": 90.0, "burst_id": 7},
        {"preview": None},
        {"deleted_at": LONG_AGO, "subject": "A glacier", "camera_model": "Z 9"},
    )
    async with site.services.sessions.begin() as session:
        await session.execute(
            text(
                "INSERT INTO stage_runs (stage, subject, photo_id, run_id, state) SELECT 'convert', id::text, id,"
                " gen_random_uuid(), 'failed' FROM photos WHERE preview IS NULL OR deleted_at IS NOT NULL"
            )
        )
        await session.execute(
            text(
                "INSERT INTO imports (id, root_id, folder, label, state) SELECT 1, root_id, '', '', 'done' FROM photos"
                " LIMIT 1"
            )
        )
        await session.execute(
            text(
                "INSERT INTO import_items (import_id, path, state, photo_id) SELECT 1, id::text::bytea, 'done', id"
                " FROM photos WHERE id % 2 = 0"
            )
        )
    return ids


async def test_what_is_decided_about_is_what_the_gallery_shows(site: Site) -> None:
    await a_mixed_archive(site)
    for shown in SHOWN:
        listed = (await site.client.get("/api/photos", params=shown)).raise_for_status().json()["items"]
        decided = await decide(site, shown, project="Chosen")
        assert {item["id"] for item in decided["items"]} == {item["id"] for item in listed}, shown
        assert decided["count"] == len(listed), shown
        if decided["undo"]:
            assert (await undo(site, decided["undo"]))["count"] == len(listed), shown
    assert await count(site, "project_id IS NOT NULL") == 1


async def test_a_selection_has_the_words_of_the_galleries_address(site: Site) -> None:
    described = (await site.client.get("/openapi.json")).json()
    in_address = {one["name"] for one in described["paths"]["/api/photos"]["get"]["parameters"]}
    in_selection = set(described["components"]["schemas"]["ShownBy"]["properties"])
    assert in_selection == in_address - {"sort", "after", "last", "limit", "ids"}


async def test_exceptions_are_left_out_by_their_old_numbers_too(site: Site) -> None:
    one, two, three = await some_photos(site, {}, {}, {})
    async with site.services.sessions.begin() as session:
        await session.execute(text("INSERT INTO merged_photos VALUES (900, :two)"), {"two": two})
    decided = await decide(site, {}, action="reject", **{"except": [one, 900, 123456]})
    assert [item["id"] for item in decided["items"]] == [three]


async def test_thousands_are_decided_and_undone_as_one_and_told_as_all(site: Site) -> None:
    await many_photos(site, 6_000)
    wish = {"action": "reject"}
    decided = await decide(site, {"q": "lighthouse"}, **wish)
    assert (decided["count"], decided["items"], decided["message"]) == (6_000, [], None)
    assert await count(site, "rejected_at IS NOT NULL") == 6_000, "the true set, however common the word"
    told = await sql(site, "SELECT data FROM events WHERE kind = 'photos'")
    assert told == [{"data": {"ids": [], "all": True}}]
    (state,) = await sql(site, "SELECT requested_seq FROM taste_state")
    assert state["requested_seq"] == 1, "one training for all that were rated"
    undone = await undo(site, decided["undo"])
    assert (undone["count"], len(undone["items"])) == (6_000, 1_000)
    assert await count(site, "rejected_at IS NOT NULL") == 0
    redone = await undo(site, undone["undo"])
    assert (redone["count"], await count(site, "rejected_at IS NOT NULL")) == (6_000, 6_000)


async def test_undo_of_many_leaves_what_was_changed_again_since(site: Site) -> None:
    await many_photos(site, 20)
    decided = await decide(site, {"filter": "unrated"}, user_rating=4)
    ids = [item["id"] for item in decided["items"]]
    (await site.client.patch(f"/api/photos/{ids[0]}", json={"user_rating": 5})).raise_for_status()
    assert (await undo(site, decided["undo"]))["count"] == len(ids) - 1
    assert [row["id"] for row in await sql(site, "SELECT id FROM photos WHERE user_rating = 5")] == [ids[0]]
    assert await count(site, "user_rating = 4 OR (user_rating IS NULL AND kept_at IS NOT NULL)") == 0


async def test_tags_come_and_go_beside_those_that_each_photo_has_and_are_undone_as_one(site: Site) -> None:
    full = [f"tag {n}" for n in range(50)]
    ids = await some_photos(
        site,
        {"suggested_tags": ["Dog", "beach"]},
        {"suggested_tags": ["dog"], "tags": ["Best of", "DOG"]},
        {"tags": []},
        {"tags": full},
        {"suggested_tags": ["cat"], "rejected_at": LONG_AGO},
    )
    before = await tags_now(site)
    decided = await decide(site, {}, add_tags=["best of", "2024"], remove_tags=["dog"])
    assert decided["count"] == 3
    assert await tags_now(site) == [["beach", "best of", "2024"], ["Best of", "2024"], ["best of", "2024"], full, None]
    undone = await undo(site, decided["undo"])
    assert (undone["count"], await tags_now(site)) == (3, before)
    await undo(site, undone["undo"])
    assert (await tags_now(site))[1] == ["Best of", "2024"]
    again = await site.client.post("/api/decisions", json={"ids": ids[:2], "add_tags": ["2024"], "user_rating": 4})
    assert (again.json()["count"], (await tags_now(site))[0]) == (2, ["beach", "best of", "2024"])  # stars alone
    nothing = await decide(site, {}, remove_tags=["never given"])
    assert (nothing["undo"], nothing["message"]) == (None, "Nothing changed: no photo of the selection needs it.")
    fewer = await decide(site, {}, remove_tags=["TAG 7"])
    assert (fewer["count"], len((await tags_now(site))[3])) == (1, 49)


async def tags_now(site: Site) -> list[Any]:  # Any: lists of tags, None for those that are suggested
    return [row["tags"] for row in await sql(site, "SELECT tags FROM photos ORDER BY id")]


async def test_the_tags_of_chosen_photos_are_counted(site: Site) -> None:
    ids = await some_photos(
        site, {"suggested_tags": ["Dog", "beach"]}, {"suggested_tags": ["cat"], "tags": ["dog"]}, {"tags": []}
    )
    for chosen in ({"selection": {}}, {"ids": ids}):
        counted = (await site.client.post("/api/photos/tags", json=chosen)).raise_for_status().json()
        assert counted["count"] == 3
        assert [(one["tag"].lower(), one["photos"]) for one in counted["tags"]] == [("dog", 2), ("beach", 1)]
    fewer = await site.client.post("/api/photos/tags", json={"selection": {}, "except": ids[:1]})
    assert fewer.json() == {"count": 2, "tags": [{"tag": "dog", "photos": 1}]}


async def test_a_selection_without_photos_changes_nothing_and_says_so(site: Site) -> None:
    await some_photos(site, {})
    decided = await decide(site, {"filter": "rejected"}, project="Iceland", action="restore")
    assert (decided["count"], decided["items"], decided["undo"]) == (0, [], None)
    assert decided["message"] == "Nothing changed: no photo of the selection needs it."
    assert await sql(site, "SELECT 1 FROM projects") == []


async def test_a_selection_that_is_sent_twice_is_decided_once(site: Site) -> None:
    await many_photos(site, 5)
    batch = str(uuid.uuid4())
    first = await decide(site, {}, action="reject", batch=batch)
    again = await decide(site, {}, action="reject", batch=batch)
    assert first == again
    assert (first["undo"], first["count"]) == (batch, 6)
    both = await asyncio.gather(*(decide(site, {"filter": "rejected"}, action="keep", batch=batch) for _ in range(2)))
    assert [one["count"] for one in both] == [6, 6], "this name is taken"
    assert await count(site, "rejected_at IS NULL") == 0


async def test_what_leaves_the_selection_while_it_is_locked_is_not_decided_about(site: Site) -> None:
    one, two = await some_photos(site, {}, {})
    async with site.session() as other:
        await other.execute(text("UPDATE photos SET rejected_at = now() WHERE id = :id"), {"id": two})
        deciding = asyncio.create_task(decide(site, {"filter": "all"}, user_rating=3))
        await site.until_somebody_waits_for_a_lock()
        await other.commit()
    assert [item["id"] for item in (await deciding)["items"]] == [one]


async def test_two_decisions_about_the_same_photos_wait_for_each_other(site: Site) -> None:
    await many_photos(site, 400)
    await asyncio.gather(
        *(decide(site, {"q": q}, user_rating=stars) for stars, q in enumerate(["lighthouse", "DSC"] * 2, start=1))
    )
    rows = await sql(
        site,
        "SELECT id, photo_id, before->'user_rating' AS a, after->'user_rating' AS b FROM rating_events ORDER BY id",
    )
    last: dict[int, Any] = {}
    for row in rows:
        assert row["a"] == last.get(row["photo_id"], row["a"]), "each saw what the one before it made true"
        last[row["photo_id"]] = row["b"]
    assert last == {row["id"]: row["user_rating"] for row in await sql(site, "SELECT id, user_rating FROM photos")}


async def test_a_decision_that_is_cut_off_in_the_middle_is_made_once_and_whole(site: Site) -> None:
    await many_photos(site, 30)
    async with site.session() as other:
        await other.execute(text("UPDATE photos SET file_name = 'x' WHERE id = (SELECT max(id) FROM photos)"))
        deciding = asyncio.create_task(decide(site, {}, user_rating=5))
        await site.until_somebody_waits_for_a_lock()
        await other.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND datname = current_database()"
            )
        )
        await other.commit()
    assert (await deciding)["count"] == 31
    assert await sql(site, "SELECT 1 FROM rating_events GROUP BY photo_id HAVING count(*) <> 1") == []


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"selection": {}, "ids": [1]}, "the request: name photos by their ids, or by a selection, and not by both."),
        ({}, "the request: name photos by their ids, or by a selection, and not by both."),
        ({"ids": [1], "except": [2]}, "the request: only a selection has exceptions: leave these ids out."),
        ({"selection": {"filter": "best"}}, None),
        ({"selection": {"stars": 4}}, "selection.stars: there is no such field."),
        ({"selection": {"from": "yesterday"}}, None),
        ({"selection": {"technical": 101}}, None),
        ({"selection": {"q": "x" * 201}}, None),
        ({"selection": {"q": "ice\0"}}, "There is a character in this request that no text can hold."),
        ({"selection": "all"}, None),
        ({"selection": {}, "except": list(range(1, 100_002))}, None),
        ({"selection": {}, "except": ["1"]}, None),
    ],
)
async def test_a_bad_selection_gets_a_sentence(site: Site, body: dict[str, Any], sentence: str | None) -> None:
    for path, wish in (("/api/decisions", {"action": "reject"}), ("/api/removals", {})):
        answer = await site.client.post(path, json={**body, **wish})
        message = answer.json()["error"]["message"]
        assert (answer.status_code, message.endswith(".")) == (422, True), message
        assert sentence is None or message == sentence
