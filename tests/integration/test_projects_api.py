"""Projects over HTTP: made, renamed, put in order, merged, deleted, and brought back."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from orchestrator.models import Photo
from tests import factories
from tests.site import Site

LONG_AGO = datetime(2024, 5, 4, tzinfo=UTC)


async def make(site: Site, name: str) -> int:
    answer = await site.client.post("/api/projects", json={"name": name})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


async def fill(site: Site, project_id: int, *fields: dict[str, Any]) -> list[int]:
    """Photos in the project, one for each of these fields."""
    async with site.session() as session:
        root = await factories.a_root(session, f"/photos/{project_id}")
        photos = [
            await factories.a_photo(session, root, f"{n}.jpg", project_id=project_id, **field)
            for n, field in enumerate(fields)
        ]
        await session.commit()
    return [photo.id for photo in photos]


async def shown(site: Site, project_id: int) -> dict[str, Any]:
    found: dict[str, Any] = (await site.client.get(f"/api/projects/{project_id}")).raise_for_status().json()
    return found


async def names(site: Site) -> list[str]:
    return [item["name"] for item in (await site.client.get("/api/projects")).raise_for_status().json()["items"]]


async def ids_in_order(site: Site, project_id: int, limit: int = 100) -> list[int]:
    found: list[int] = []
    after = ""
    while True:
        query = f"limit={limit}" + (f"&after={after}" if after else "")
        page = (await site.client.get(f"/api/projects/{project_id}/photos?{query}")).raise_for_status().json()
        found += [item["id"] for item in page["items"]]
        after = page["next"]
        if not after:
            return found


async def put_in_order(site: Site, project_id: int, *ids: int) -> None:
    (await site.client.post(f"/api/projects/{project_id}/order", json={"ids": ids})).raise_for_status()


async def project_of(site: Site, photo_id: int) -> int | None:
    async with site.session() as session:
        return (await session.get_one(Photo, photo_id)).project_id


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["message"]


async def test_projects_are_listed_by_name_with_counts_and_covers(site: Site) -> None:
    island = await make(site, "  Island ")
    await make(site, "azores & <b>sea</b>")
    photos = await fill(site, island, {"rejected_at": LONG_AGO}, {}, {"preview": None}, {})
    assert await names(site) == ["azores & <b>sea</b>", "Island"]
    project = await shown(site, island)
    assert (project["photos"], project["rejected"]) == (2, 1)
    assert (project["cover"]["photo_id"], project["is_cover_chosen"]) == (photos[1], False)
    assert project["cover"]["thumbnail_url"].startswith(f"/photos/{photos[1]}/thumbnail.jpg")
    page = (await site.client.get("/projects")).text
    assert "<b>sea" not in page


async def test_a_name_is_taken_whatever_its_case(site: Site) -> None:
    island, other = await make(site, "Island"), await make(site, "Azores")
    taken = (409, "There is a project “Island” already.")
    assert refusal(await site.client.post("/api/projects", json={"name": "iSLAND "})) == taken
    assert refusal(await site.client.patch(f"/api/projects/{other}", json={"name": "ISLAND"})) == taken
    assert (await site.client.patch(f"/api/projects/{island}", json={"name": "ISLAND"})).json()["name"] == "ISLAND"
    (photo,) = await fill(site, other, {})
    (await site.client.patch(f"/api/photos/{photo}", json={"project": "island"})).raise_for_status()
    assert await project_of(site, photo) == island
    assert await names(site) == ["Azores", "ISLAND"]


async def test_a_name_is_the_same_however_its_accents_and_spaces_are_written(site: Site) -> None:
    cafe = await make(site, " Caf\u00e9\n 1 ")
    assert await names(site) == ["Caf\u00e9 1"]
    again = await site.client.post("/api/projects", json={"name": "cafe\u0301 1"})
    assert refusal(again) == (409, "There is a project “Caf\u00e9 1” already.")
    (photo,) = await fill(site, cafe, {})
    (await site.client.patch(f"/api/photos/{photo}", json={"project": "CAFE\u0301 1"})).raise_for_status()
    assert await project_of(site, photo) == cafe


@pytest.mark.parametrize("name", ["", "   ", "a\0b", "a" * 201, 7, None])
async def test_what_is_no_name_is_refused_with_a_sentence(site: Site, name: Any) -> None:
    project = await make(site, "a" * 200)
    for answer in (
        await site.client.post("/api/projects", json={"name": name}),
        await site.client.patch(f"/api/projects/{project}", json={"name": name}),
    ):
        status, message = refusal(answer)
        assert status == 422
        assert message.startswith("name: ")
    assert await names(site) == ["a" * 200]


async def test_one_project_is_made_of_many_at_once(site: Site) -> None:
    wishes = [site.client.post("/api/projects", json={"name": name}) for name in ("Island", "island", "ISLAND")]
    answers = await asyncio.gather(*wishes)
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]


async def test_what_is_put_in_order_comes_first_and_the_rest_follows(site: Site) -> None:
    project, other = await make(site, "Island"), await make(site, "Other")
    a, b, c, d, e = await fill(site, project, {}, {}, {}, {}, {"rejected_at": LONG_AGO})
    (elsewhere,) = await fill(site, other, {})
    assert await ids_in_order(site, project) == [a, b, c, d]
    await put_in_order(site, project, c, elsewhere, a)
    assert await ids_in_order(site, project, limit=1) == [c, a, b, d]
    await put_in_order(site, project, d)
    assert await ids_in_order(site, project) == [d, c, a, b]
    assert (await shown(site, project))["cover"]["photo_id"] == d
    assert await ids_in_order(site, other) == [elsewhere]
    for ids in ([], [a, a], ["1"], [2**63]):
        assert (await site.client.post(f"/api/projects/{project}/order", json={"ids": ids})).status_code == 422
    assert e not in await ids_in_order(site, project)


async def test_a_photo_that_leaves_and_comes_back_has_its_place_again(site: Site) -> None:
    project = await make(site, "Island")
    a, b, c = await fill(site, project, {}, {}, {})
    await put_in_order(site, project, c, b, a)
    left = (await site.client.patch(f"/api/photos/{b}", json={"project": None})).json()
    assert await ids_in_order(site, project) == [c, a]
    (await site.client.post(f"/api/decisions/{left['undo']}/undo")).raise_for_status()
    assert await ids_in_order(site, project) == [c, b, a]


async def test_a_cover_is_chosen_among_its_photos_and_falls_back_when_it_is_gone(site: Site) -> None:
    project = await make(site, "Island")
    a, b = await fill(site, project, {}, {})
    (stranger,) = await fill(site, await make(site, "Other"), {})
    chosen = (await site.client.patch(f"/api/projects/{project}", json={"cover_id": b})).json()
    assert (chosen["cover"]["photo_id"], chosen["is_cover_chosen"]) == (b, True)
    answer = await site.client.patch(f"/api/projects/{project}", json={"cover_id": stranger})
    assert refusal(answer) == (422, "The cover is one of the photos in the project; this one is not.")
    await site.client.post(f"/api/photos/{b}/reject")
    assert (await shown(site, project))["cover"]["photo_id"] == a
    await site.client.post(f"/api/photos/{b}/restore")
    assert (await shown(site, project))["cover"]["photo_id"] == b


async def test_a_deleted_project_leaves_its_photos_and_can_be_brought_back(site: Site) -> None:
    project = await make(site, "Island")
    a, b, c = await fill(site, project, {"user_rating": 5}, {}, {"rejected_at": LONG_AGO})
    await put_in_order(site, project, b, a)
    ended = (await site.client.delete(f"/api/projects/{project}")).raise_for_status().json()
    assert (ended["name"], ended["photos"]) == ("Island", 3)
    assert await names(site) == []
    assert [await project_of(site, id_) for id_ in (a, b, c)] == [None, None, None]
    history = (await site.client.get(f"/api/photos/{a}/history")).json()["items"]
    assert history[0]["after"] == {"project": None}
    other = (await site.client.patch(f"/api/photos/{a}", json={"project": "Other"})).json()["items"][0]
    back = (await site.client.post(f"/api/projects/{project}/restore")).raise_for_status().json()
    assert (back["id"], back["name"], back["photos"], back["rejected"]) == (project, "Island", 1, 1)
    assert other["user_rating"] == 5
    assert [await project_of(site, id_) == project for id_ in (a, b, c)] == [False, True, True]
    assert (await site.client.post(f"/api/projects/{project}/restore")).status_code == 404


async def test_what_was_decided_before_a_project_was_deleted_can_be_undone_after_it_is_back(site: Site) -> None:
    project = await make(site, "Island")
    (photo,) = await fill(site, project, {})
    moved = (await site.client.patch(f"/api/photos/{photo}", json={"project": "Azores"})).json()
    await site.client.delete(f"/api/projects/{project}")
    await site.client.post(f"/api/projects/{project}/restore")
    (await site.client.post(f"/api/decisions/{moved['undo']}/undo")).raise_for_status()
    assert await project_of(site, photo) == project


async def test_a_project_whose_name_was_taken_since_does_not_come_back(site: Site) -> None:
    project = await make(site, "Island")
    (await site.client.delete(f"/api/projects/{project}")).raise_for_status()
    await make(site, "ISLAND")
    answer = await site.client.post(f"/api/projects/{project}/restore")
    assert refusal(answer) == (409, "There is a project “ISLAND” already.")
    assert await names(site) == ["ISLAND"]


async def test_a_merge_puts_the_photos_behind_and_can_be_undone(site: Site) -> None:
    one, two = await make(site, "One"), await make(site, "Two")
    a, b = await fill(site, one, {}, {})
    c, d = await fill(site, two, {}, {})
    await put_in_order(site, one, b, a)
    await put_in_order(site, two, d, c)
    (await site.client.post(f"/api/projects/{one}/merge", json={"into": two})).raise_for_status()
    assert await names(site) == ["Two"]
    assert await ids_in_order(site, two) == [d, c, b, a]
    (await site.client.post(f"/api/projects/{one}/restore")).raise_for_status()
    assert await ids_in_order(site, one) == [b, a]
    assert await ids_in_order(site, two) == [d, c]


async def test_a_project_cannot_be_merged_into_itself_or_nothing(site: Site) -> None:
    project = await make(site, "Island")
    for into, status in ((project, 422), (project + 1, 404)):
        answer = await site.client.post(f"/api/projects/{project}/merge", json={"into": into})
        assert answer.status_code == status
    assert await names(site) == ["Island"]


@pytest.mark.parametrize("number", [999, 2**62])
async def test_what_is_not_there_is_said_so(site: Site, number: int) -> None:
    address = f"/api/projects/{number}"
    for answer in (
        await site.client.get(address),
        await site.client.get(f"{address}/photos"),
        await site.client.patch(address, json={"name": "x"}),
        await site.client.patch(address, json={"cover_id": None}),
        await site.client.delete(address),
        await site.client.post(f"{address}/order", json={"ids": [1]}),
        await site.client.post(f"{address}/merge", json={"into": 1}),
        await site.client.post(f"{address}/restore"),
    ):
        assert refusal(answer) == (404, "There is no project with this number.")
    assert (await site.client.get(f"/projects/{number}")).status_code == 404


async def test_photos_put_into_a_project_while_it_is_deleted_are_never_lost(site: Site) -> None:
    project = await make(site, "Island")
    photos = await fill(site, project, *[{} for _ in range(20)])
    moves = [site.client.patch(f"/api/photos/{photo}", json={"project": "Island"}) for photo in photos]
    answers = await asyncio.gather(*moves, site.client.delete(f"/api/projects/{project}"))
    assert {answer.status_code for answer in answers} == {200}
    assert {await project_of(site, photo) for photo in photos} <= {None, *(await _ids(site))}


async def _ids(site: Site) -> set[int]:
    return {item["id"] for item in (await site.client.get("/api/projects")).json()["items"]}
