"""How the person wants Keepers to behave: stored, told to every page, and never with one key for two things."""

import json
import re
from typing import Any

import pytest

from shared.settings import Settings
from tests.site import Site, open_site


async def change(site: Site, **wish: Any) -> dict[str, Any]:
    answer = await site.client.patch("/api/preferences", json=wish)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def refusal(site: Site, **wish: Any) -> tuple[int, str]:
    answer = await site.client.patch("/api/preferences", json=wish)
    return answer.status_code, answer.json()["error"]["message"]


async def embedded(site: Site, address: str) -> dict[str, Any]:
    page = (await site.client.get(address)).text
    found = re.search(r'<script type="application/json" id="preferences">(.*?)</script>', page)
    assert found, address
    return dict(json.loads(found.group(1)))


async def test_what_is_chosen_is_in_every_page_and_survives_a_restart(site: Site, database_url: str) -> None:
    usual = (await site.client.get("/api/preferences")).json()
    assert usual["keys"]["keep"] == ["k"]
    assert (usual["auto_advance"], usual["cull_order"]) == (False, "match")
    await change(site, keys={"keep": ["j", "Shift+ArrowRight"], "overlays": []}, auto_advance=True)
    await change(site, cull_order="newest")
    for address in ("/", "/gallery", "/settings", "/nothing-here"):
        found = await embedded(site, address)
        assert found["keys"]["keep"] == ["j", "Shift+ArrowRight"]
        assert (found["auto_advance"], found["cull_order"]) == (True, "newest")
    settings = Settings(keepers_home=site.services.settings.keepers_home, database_url=database_url)
    async with open_site(settings) as restarted:
        kept = (await restarted.client.get("/api/preferences")).json()
        assert kept["keys"] == usual["keys"] | {"keep": ["j", "Shift+ArrowRight"], "overlays": []}
        assert (await change(restarted, keys={"keep": None}))["keys"]["keep"] == ["k"]
        assert (await change(restarted, keys=None, auto_advance=None))["keys"] == usual["keys"]
        assert (await embedded(restarted, "/"))["auto_advance"] is False


async def test_one_key_never_does_two_things(site: Site) -> None:
    assert await refusal(site, keys={"keep": ["x"]}) == (409, "“x” does something else already: reject or restore.")
    assert (await refusal(site, keys={"keep": ["q"], "pick": ["q"]}))[0] == 409
    await change(site, keys={"reject": ["q"], "keep": ["x"]})
    assert (await refusal(site, keys={"reject": None}))[0] == 409
    assert (await change(site, keys={"reject": None, "keep": None}))["keys"]["reject"] == ["x"]


@pytest.mark.parametrize("key", ["Enter", "Tab", "Escape", "Ctrl+z", "K", "", " ", "Shift+1", "ab", "\u0000"])
async def test_a_key_that_belongs_to_the_page_cannot_be_chosen(site: Site, key: str) -> None:
    status, message = await refusal(site, keys={"keep": [key]})
    assert status == 422
    assert message


@pytest.mark.parametrize(
    "wish",
    [
        {"keys": {"fly": ["y"]}},
        {"keys": {"undo": ["y"]}},
        {"keys": {"keep": ["q", "w", "e", "j", "y"]}},
        {"keys": {"keep": "q"}},
        {"cull_order": "worst"},
        {"auto_advance": "yes"},
        {"colour": "red"},
    ],
)
async def test_a_wish_that_means_nothing_changes_nothing(site: Site, wish: dict[str, Any]) -> None:
    before = (await site.client.get("/api/preferences")).json()
    assert (await refusal(site, **wish))[0] == 422
    assert (await site.client.get("/api/preferences")).json() == before
