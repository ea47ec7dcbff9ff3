"""Three hundred decisions in one pass, closed in the middle, while Keepers learns from them."""

from typing import Any

from tests.connoisseur import WINDOW_SECONDS, Connoisseur
from tests.site import Site

WISHES: list[dict[str, Any]] = [
    {"action": "keep"},
    {"action": "reject"},
    {"user_rating": 2},
    {"manual_match": True},
    {"user_rating": 5},
]


async def opened(site: Site) -> dict[str, Any]:
    answer = await site.client.post("/api/review/passes", json={"pass": "cull"})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def order(site: Site, pass_: dict[str, Any]) -> list[int]:
    found: list[int] = []
    for start in range(1, pass_["n"] + 1, 100):
        query = {"from": start, "limit": 100}
        answer = await site.client.get(f"/api/review/passes/{pass_['id']}/items", params=query)
        found += [stop["photo"]["id"] for stop in answer.json()["items"]]
    return found


async def decide(site: Site, photo_id: int, n: int) -> str:
    answer = await site.client.post("/api/decisions", json={"ids": [photo_id], **WISHES[n % len(WISHES)]})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["undo"])


async def scores(site: Site) -> dict[int, int]:
    items: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        page = (await site.client.get("/api/photos", params={"limit": 500, **after})).json()
        items += page["items"]
        if page["next"] is None:
            return {item["id"]: item["preference_score"] for item in items}
        after = {"after": page["next"]}


async def test_nothing_comes_back_and_nothing_is_skipped_in_three_hundred_decisions(
    site: Site, person: Connoisseur
) -> None:
    rated = await person.photos(50)
    await person.rate(rated)
    wanted = await person.photos(300)
    await person.train()
    await person.settle()
    pass_ = await opened(site)
    assert (pass_["n"], pass_["position"]) == (300, 1)
    frozen = await order(site, pass_)
    before = await scores(site)
    assert sorted(frozen) == wanted
    assert [before[id_] for id_ in frozen] == sorted(before[id_] for id_ in frozen)

    for n, photo_id in enumerate(frozen[:150]):
        assert (await opened(site))["position"] == n + 1 if n % 25 == 0 else True
        undo = await decide(site, photo_id, n)
    await site.client.post(f"/api/decisions/{undo}/undo")  # the last one is thought over
    assert await opened(site) == {**pass_, "position": 150}
    await decide(site, frozen[149], 0)

    await person.rate(frozen[:150:7], 1)
    person.wait(WINDOW_SECONDS)
    await person.train()
    await person.settle()
    late = await person.photos(20)
    after = await scores(site)
    assert [after[id_] for id_ in frozen[150:]] != sorted(after[id_] for id_ in frozen[150:]), "nothing was learned"

    again = await opened(site)
    assert again == {"id": pass_["id"], "n": 320, "position": 151}
    now = await order(site, again)
    assert now[:300] == frozen
    assert sorted(now[300:]) == late
    for n, photo_id in enumerate(now[150:]):
        await decide(site, photo_id, n)
    assert await opened(site) == {**again, "position": 321}
    undecided = await site.client.get(f"/api/review/passes/{pass_['id']}")
    assert (undecided.json()["passed_over"], undecided.json()["n"]) == (0, 320)
