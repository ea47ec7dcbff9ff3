"""Searching and narrowing the gallery in a real browser: all of it stands in the address."""

import os
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Page, expect

from orchestrator import events
from tests import factories
from tests.browser.browsers import Browser
from tests.site import Site


async def described_photos(site: Site) -> None:
    async with site.session() as session:
        root = await factories.a_root(session)
        for n, subject in enumerate(
            ["A lighthouse at dawn", "A dog", "A lighthouse in a storm", "A dog by a lighthouse"]
        ):
            fields = {"subject": subject, "camera_model": f"Z {5 + n % 2}", "user_rating": n + 2}
            await factories.a_photo(session, root, f"DSC_{n:04}.jpg", content_type="other", **fields)
        await factories.tell(session, events.PHOTOS)


async def shown(page: Page, *numbers: int) -> None:
    await expect(page.locator(".card .name")).to_have_text([f"DSC_{n:04}.jpg" for n in numbers])


def state_of(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


@pytest.mark.parametrize("width", [1280, 390])
async def test_photos_are_searched_and_narrowed(site: Site, served: str, browser: Browser, width: int) -> None:
    await described_photos(site)
    page = await browser.open(f"{served}/gallery", width=width)
    await shown(page, 3, 2, 1, 0)
    await page.keyboard.press("/")
    await page.keyboard.type("dog")
    await page.keyboard.press("Enter")
    await shown(page, 3, 1)
    await expect(page.get_by_label("Sort")).to_have_value("relevance")
    await page.get_by_label("Sort").select_option("rating")
    await expect(page).to_have_url(re.compile("sort=rating"))
    if width < 500:
        await page.get_by_role("button", name="Filters").click()
    await page.get_by_text("More filters").click()
    await page.get_by_label("Camera").select_option("Z 6")
    await expect(page).to_have_url(re.compile("camera=Z"))
    assert state_of(page) == {"q": ["dog"], "sort": ["rating"], "camera": ["Z 6"]}
    await shown(page, 3, 1)
    await page.reload()
    await shown(page, 3, 1)
    await expect(page.get_by_label("Search photos")).to_have_value("dog")
    if width < 500:
        await page.get_by_role("button", name="Filters").click()
    if "GALLERY_SHOT" in os.environ:
        await page.screenshot(path=f"/tmp/g_{width}.png")
    await page.get_by_role("button", name="Clear these").click()
    await expect(page).not_to_have_url(re.compile("camera="))
    await page.get_by_label("Search photos").fill("")
    await page.get_by_label("Search photos").press("Enter")
    await shown(page, 3, 2, 1, 0)
    assert state_of(page) == {"sort": ["rating"]}
    await page.go_back()
    await shown(page, 3, 1)
    await page.get_by_label("Search photos").fill("zebra")
    await page.get_by_label("Search photos").press("Enter")
    await expect(page.get_by_text("Nothing was found for “zebra”, with the filters that are chosen.")).to_be_visible()
    await expect(page.locator("#summary")).to_have_text("0 photos")
    if width > 500:
        entries = await page.evaluate("history.length")
        await page.get_by_label("Captured from").press_sequentially("01152016", delay=50)
        await expect(page).to_have_url(re.compile("from=2016-01-15"))
        assert await page.evaluate("history.length") == entries + 1  # and none for the year 2, 20, and 201
    await page.route("**/api/photos?*", lambda route: route.abort())
    await page.get_by_role("button", name="Clear search and filters").click()
    await expect(page.get_by_role("alert").get_by_text("Keepers is not answering.")).to_be_in_viewport()
    await page.unroute("**/api/photos?*")
    await shown(page, 3, 2, 1, 0)  # it is tried again by itself
    assert state_of(page) == {}
