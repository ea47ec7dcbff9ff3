"""A list of thousands of photos in a real browser: all of it is within reach at once, and what is seen stands still."""

import asyncio
import re

import pytest
from playwright.async_api import Page, Route, expect

from benchmarks.archive import fill
from tests.browser.browsers import Browser
from tests.site import Site

PHOTOS = 3_000

# Of the first card that is wholly below the bar: which one it is, and where.
SEEN = """() => {
  const bar = document.querySelector(".tools").getBoundingClientRect().bottom;
  const cards = [...document.querySelectorAll(".card")].map((card) => [card.getBoundingClientRect().top, card]);
  const [top, card] = cards.filter(([top]) => top >= bar).sort((one, other) => one[0] - other[0])[0];
  return { id: card.dataset.id, top };
}"""
IS_SETTLED = """() => {
  const tops = [...document.querySelectorAll(".card")].map((card) => card.getBoundingClientRect().top);
  return tops.some((top) => top > 150 && top < innerHeight) && document.querySelector(".row.waiting") === null;
}"""


@pytest.fixture
async def long(site: Site) -> Site:
    await asyncio.to_thread(fill, str(site.services.settings.database_url), PHOTOS)
    return site


async def the_list(site: Site, chosen: str) -> list[int]:
    """Its ids, in order."""
    ids: list[int] = []
    after = ""
    while after is not None:
        page = (await site.client.get(f"/api/photos?{chosen}&limit=500&after={after}")).json()
        ids += [item["id"] for item in page["items"]]
        after = page["next"]
    return ids


async def lower(route: Route) -> None:
    """Lets no document be higher than 40,000 pixels."""
    response = await route.fetch()
    script = await response.text()
    assert "HIGHEST = 8_000_000;" in script
    await route.fulfill(response=response, body=script.replace("HIGHEST = 8_000_000;", "HIGHEST = 40_000;"))


async def top_of(page: Page, photo_id: str) -> float | None:
    box = await page.locator(f'.card[data-id="{photo_id}"]').bounding_box()
    return box and box["y"]


@pytest.mark.parametrize("width", [1280, 390])
async def test_one_can_jump_anywhere_in_a_long_list_and_back(
    long: Site, served: str, browser: Browser, width: int
) -> None:
    ids = await the_list(long, "sort=captured")
    page = await browser.open(f"{served}/gallery?sort=captured", width=width)
    await page.wait_for_function("document.getElementById('grid').offsetHeight > 50 * innerHeight")
    await page.locator(".card").first.focus()
    await page.keyboard.press("End")
    focused = page.locator(".card:focus")
    await expect(focused).to_have_attribute("data-id", str(ids[-1]))
    await expect(focused).to_be_in_viewport()
    await page.keyboard.press("ArrowLeft")
    await expect(focused).to_have_attribute("data-id", str(ids[-2]))
    await page.keyboard.press("Home")
    await expect(focused).to_have_attribute("data-id", str(ids[0]))
    await page.evaluate("scrollTo(0, document.documentElement.scrollHeight / 2)")
    await expect(page.locator("#scroll-label")).to_have_text(re.compile(r"\d{4}"))
    await page.wait_for_function(IS_SETTLED)
    seen = await page.evaluate(SEEN)
    assert len(ids) * 0.4 < ids.index(int(seen["id"])) < len(ids) * 0.6
    assert await page.locator(".card").count() < 80


async def test_what_is_seen_stands_still_while_photos_above_it_come_in(
    long: Site, served: str, browser: Browser
) -> None:
    page = await browser.open(f"{served}/gallery?sort=captured")
    await page.wait_for_function("document.getElementById('grid').offsetHeight > 50 * innerHeight")
    await page.evaluate("scrollTo(0, document.documentElement.scrollHeight / 2)")
    for _ in range(25):  # up through segments whose height was only guessed
        await page.wait_for_function(IS_SETTLED)
        seen = await page.evaluate(SEEN)
        await page.evaluate("scrollBy(0, -200)")
        await page.wait_for_function(IS_SETTLED)
        assert await top_of(page, seen["id"]) == pytest.approx(seen["top"] + 200, abs=1.5)


async def test_every_photo_is_passed_once_by_the_arrow_key(long: Site, served: str, browser: Browser) -> None:
    ids = await the_list(long, "filter=rated")
    assert len(ids) > 250  # three segments at least
    page = await browser.open(f"{served}/gallery?filter=rated")
    await page.locator(".card").first.focus()
    passed = [ids[0]]
    for _ in range(250):
        await page.keyboard.press("ArrowRight")
        following = str(ids[len(passed)])
        await page.wait_for_function("(id) => document.activeElement.dataset.id === id", arg=following)
        passed.append(int(following))
    assert passed == ids[:251]


async def test_a_place_far_down_is_found_again_after_a_reload_and_on_the_way_back(
    long: Site, served: str, browser: Browser
) -> None:
    page = await browser.open(f"{served}/gallery?sort=taste")
    await page.wait_for_function("document.getElementById('grid').offsetHeight > 50 * innerHeight")
    await page.evaluate("scrollTo(0, document.documentElement.scrollHeight * 0.8)")
    await page.wait_for_function(IS_SETTLED)
    seen = (await page.evaluate(SEEN))["id"]
    await page.reload()
    await expect(page.locator(f'.card[data-id="{seen}"]')).to_be_in_viewport()
    await page.wait_for_function(IS_SETTLED)
    focused = page.locator(".card:focus")
    await page.keyboard.press("ArrowRight")  # the first key begins where one looks
    await expect(page.locator(f'.card[data-id="{seen}"]')).to_be_in_viewport()
    await page.keyboard.press("m")
    marked = await focused.get_attribute("data-id")
    assert marked is not None
    await page.reload()
    await expect(focused).to_have_attribute("data-id", marked)
    await expect(focused).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("Escape")
    await page.get_by_role("link", name="Unrated").click()
    await expect(page).to_have_url(re.compile("filter=unrated"))
    await expect(page.locator(f'.card[data-id="{marked}"]')).to_have_count(0)
    await page.go_back()
    await expect(focused).to_have_attribute("data-id", marked)
    await expect(focused).to_be_in_viewport()
    far = (await the_list(long, "sort=taste"))[1500]
    await page.goto(f"{served}/gallery?sort=taste&photo={far}")
    await expect(page.locator(".card:focus")).to_have_attribute("data-id", str(far))
    await expect(page.locator(".card:focus")).to_be_in_viewport()


async def test_a_list_may_be_higher_than_a_document_can_be(long: Site, served: str, browser: Browser) -> None:
    """As a million photos are; here documents are low instead."""
    ids = await the_list(long, "sort=captured")
    page = await browser.open(f"{served}/healthz")
    await page.route("**/scroll-space.js", lower)
    await page.goto(f"{served}/gallery?sort=captured")
    await page.wait_for_function("() => document.getElementById('grid').offsetHeight === 40_000")
    await page.evaluate("scrollTo(0, document.documentElement.scrollHeight / 2)")
    await page.wait_for_function(IS_SETTLED)
    for by in (300, -300, -900):
        seen = await page.evaluate(SEEN)
        await page.evaluate("(by) => scrollBy(0, by)", by)
        await page.wait_for_function(IS_SETTLED)
        top = await top_of(page, seen["id"])
        assert by > 0 or top == pytest.approx(seen["top"] - by, abs=1.5)
    middle = ids.index(int((await page.evaluate(SEEN))["id"]))
    assert len(ids) * 0.3 < middle < len(ids) * 0.7
    await page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    await expect(page.locator(f'.card[data-id="{ids[-1]}"]')).to_be_in_viewport()
    for _ in range(5):
        await page.evaluate("scrollBy(0, -600)")
        await page.wait_for_function(IS_SETTLED)
    await expect(page.locator(f'.card[data-id="{ids[-1]}"]')).not_to_be_in_viewport()
    await page.evaluate("scrollTo(0, 0)")
    await expect(page.locator(f'.card[data-id="{ids[0]}"]')).to_be_in_viewport()
