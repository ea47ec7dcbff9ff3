"""axe finds nothing on any page, with an archive in which everything has happened."""

from typing import Any

import pytest
from playwright.async_api import expect

from orchestrator.models import Breaker, Photo, RatingConflict, StagePause
from tests import factories
from tests.browser.axe import violations
from tests.browser.browsers import EVERY_PAGE, Browser
from tests.connoisseur import Connoisseur
from tests.shoot import FAR, Shoot, a_burst, with_pictures

LOOKS = pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
# What is on a page once it is filled.
FILLED = {
    "/": ".import",
    "/gallery": ".card .name",
    "/projects": ".cover .name",
    "/projects/1": ".placed",
    "/export": ".approved",
    "/review": ".loupe-photo",
    "/placard/1": ".label li",
    "/taste": "#loves .taste-photo",
    "/logs": ".cause-card",
    "/dead-letters": ".letter",
    "/conflicts": ".difference",
    "/settings": ".key",
    "/free-space": ".drive",
    "/styleguide": ".import",
    "/nothing-here": "h1",
}
# Of a list, those of its first item: the others are alike.
OPEN_ALL = """
for (const one of document.querySelectorAll("details:not(li:not(:first-child) *)")) {
  if (one.checkVisibility()) one.open = true;
}
"""
UNSAID = "[open] .why-body:empty, [open] .why-body:has-text('Looking')"


@pytest.fixture
async def burst(shoot: Shoot, person: Connoisseur) -> int:
    """The best photo of a burst, in an archive with one of everything."""
    await learned_taste(person)
    await decided_photos(shoot)
    await problems(shoot)
    await imports(shoot)
    *_, best = await a_burst(shoot, 0, 3)
    await shoot.search()
    await told_of(shoot, best)
    return best


async def learned_taste(person: Connoisseur) -> None:
    photos = await person.photos(60)
    await person.rate(photos[:50])
    await person.train()
    await person.settle()


async def decided_photos(shoot: Shoot) -> None:
    states: list[dict[str, Any]] = [
        {"user_rating": 4, "preference_score": 82, "score_activation": 1},
        {"preference_score": 97, "score_activation": 1},
        {"manual_match": True, "user_rating": 5},
        {"kept_at": factories.minutes_ago(5)},
        {"damage": "The end of this file is missing."},
        {"preview": None, "thumbnail": None},
    ]
    photos = [await shoot.photo((n + 1) * FAR, **state) for n, state in enumerate(states)]
    await put_into_project(shoot, photos[:4])
    async with shoot.site.services.sessions.begin() as session:
        session.add(RatingConflict(photo_id=photos[0], file_path="/photos/a.xmp", file_rating=2))
        await factories.a_placard(session, shoot.site.claims, factories.a_gradient())


async def put_into_project(shoot: Shoot, photos: list[int]) -> None:
    for wish in ({"name": "Iceland"}, {"name": "Azores"}):
        await shoot.site.client.post("/api/projects", json=wish)
    put = await shoot.site.client.post("/api/decisions", json={"ids": photos, "project": "Iceland"})
    assert put.status_code == 200, put.text


async def told_of(shoot: Shoot, photo_id: int) -> None:
    """All that the panel of a photo can say."""
    async with shoot.site.services.sessions.begin() as session:
        photo = await session.get_one(Photo, photo_id)
        photo.sqlmodel_update(
            {
                "subject": "A dipper on a stone",
                "lighting_critique": "Soft light from the left.",
                "suggested_tags": ["bird", "river"],
                "described_by": "llava",
                "prompt_version": 1,
                "damage": "The end of this file is missing.",
                "preference_score": 82,
                "score_activation": 1,
                "aperture": 4.0,
            }
        )
        await factories.a_file(session, photo, b"0-2.jpg")
        run = await factories.a_run(session, photo, "embed", state="failed", error="It cannot be compared.")
        await factories.a_failure(session, photo, stage="embed", run_id=run.run_id, final=True)
    decided = await shoot.site.client.post("/api/decisions", json={"ids": [photo_id], "user_rating": 4})
    assert decided.status_code == 200, decided.text


async def problems(shoot: Shoot) -> None:
    async with shoot.site.services.sessions.begin() as session:
        photo = await factories.a_photo(session, shoot.root, "DSC_0666.CR2")
        run = await factories.a_run(session, photo, state="failed", error="This file is broken.")
        known = {"run_id": run.run_id, "detail": {"limit": 250}}
        await factories.a_failure(session, photo, final=True, attempt=5, **known)
        await factories.a_failure(session, None, stage="embed", message="No worker answers.", source="orchestrator")
        await factories.a_dead_letter(session, photo, run_id=run.run_id)
        await factories.a_dead_letter(session, None, error_type="Undecodable", reason="undecodable")
        await factories.a_run(session, photo, "embed", state="held")
        session.add(Breaker(key="root:1", stage="embed", cause="Drive Photos2 is not connected: 1 waiting."))
        session.add(StagePause(stage="curate"))


async def imports(shoot: Shoot) -> None:
    async with shoot.site.services.sessions.begin() as session:
        for state in ("running", "paused", "done", "failed"):
            import_ = await factories.an_import(session, shoot.root, f"Iceland, {state}", state=state, scanned=True)
            await factories.an_item(session, import_, None, b"waits.jpg")
            await factories.an_item(session, import_, None, b"broken.jpg", state="failed", reason="It is empty.")


@LOOKS
async def test_axe_finds_nothing_on_any_page(burst: int, served: str, browser: Browser, width: int, theme: str) -> None:
    found = {}
    page = await browser.open("about:blank", width=width, theme=theme)
    for address in [*EVERY_PAGE, "/projects/1", "/placard/1"]:
        await page.goto(f"{served}{address}")
        await expect(page.locator(FILLED[address]).first).to_be_visible()
        await expect(page.locator("#pipeline-button .segment").first).to_be_visible()
        await page.evaluate(OPEN_ALL)
        await expect(page.locator(UNSAID)).to_have_count(0)
        found[address] = await violations(page)
    assert {address: said for address, said in found.items() if said} == {}


@LOOKS
async def test_axe_finds_nothing_in_what_opens_over_the_gallery(
    burst: int, served: str, browser: Browser, width: int, theme: str
) -> None:
    page = await browser.open(f"{served}/gallery?filter=bursts", width=width, theme=theme)
    await expect(page.locator("#bursts-line")).to_contain_text("1 group")
    await page.evaluate(OPEN_ALL)
    card = page.locator(f".card[data-id='{burst}']")
    await card.focus()
    await page.keyboard.press("i")
    await expect(page.get_by_role("complementary", name="About this photo")).to_contain_text("Sharpness")
    await page.evaluate(OPEN_ALL)
    await expect(page.locator(UNSAID)).to_have_count(0)
    details = await violations(page)
    await page.keyboard.press("Escape")
    await card.focus()
    await page.keyboard.press("b")
    await expect(page.get_by_role("heading", name="Burst of 3")).to_be_visible()
    strip = await violations(page)
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Pipeline").click()
    await expect(page.get_by_role("heading", name="Pipeline")).to_be_visible()
    pipeline = await violations(page)
    await page.keyboard.press("Escape")
    await card.focus()
    await page.keyboard.press("z")
    await expect(page.get_by_role("region", name="Photo, large")).to_be_visible()
    large = await violations(page)
    await page.keyboard.press("Escape")
    await card.focus()
    await page.keyboard.press("m")
    await page.get_by_role("button", name="Tags…").click()
    await expect(page.get_by_role("region", name="Selected photos").get_by_role("listitem").first).to_be_visible()
    selection = await violations(page)
    await page.get_by_role("button", name="Remove…").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    removal = await violations(page)
    assert (details, strip, pipeline, large, selection, removal) == ([], [], [], [], [], [])


@LOOKS
async def test_axe_finds_nothing_while_one_looks_closely(
    shoot: Shoot, served: str, browser: Browser, width: int, theme: str
) -> None:
    for second in range(4):
        await with_pictures(shoot, await shoot.photo(second * FAR, width=3000, height=2000))
    page = await browser.open(f"{served}/review", width=width, theme=theme)
    await expect(page.locator("#stage .loupe-photo")).to_be_visible()
    await page.keyboard.press("z")
    await expect(page.locator("#zoom-words")).to_contain_text("%")
    found = {}
    for overlay in ("in focus", "highlights"):
        await page.keyboard.press("o")
        await expect(page.locator("#legend")).to_contain_text(overlay)
        await expect(page.locator(".loupe-marks")).to_have_count(1)
        found[overlay] = await violations(page)
    await page.keyboard.press("Escape")
    await page.keyboard.press("c")
    await expect(page.locator(".compared")).to_have_count(2)
    await page.keyboard.press("+")
    await page.keyboard.press("+")
    await expect(page.locator(".compared")).to_have_count(4)
    await expect(page.locator(".compared .loupe-marks")).to_have_count(4)
    found["compare"] = await violations(page)
    await page.keyboard.press("z")
    await expect(page.locator("#zoom-words")).to_be_visible()
    found["compare closely"] = await violations(page)
    assert {what: said for what, said in found.items() if said} == {}
