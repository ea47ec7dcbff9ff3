"""The panel in the loupe and the gallery: tags and the project, edited without a hand leaving the keyboard."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from orchestrator.models import Photo
from tests.browser.browsers import Browser
from tests.photos import add_photos
from tests.site import Site

ADDRESSES = pytest.mark.parametrize("address", ["/review", "/gallery"])


async def settled_on(site: Site, photo: Photo, tags: list[str]) -> dict[str, Any]:
    """The photo, once the server has these tags."""
    async with asyncio.timeout(30):
        while True:
            found = (await site.client.get(f"/api/photos/{photo.id}")).json()
            if found["description"]["tags"] == tags:
                return dict(found)
            await asyncio.sleep(0.02)


async def a_tagged_photo(site: Site) -> Photo:
    _, photo = await add_photos(site, 2)
    async with site.services.sessions.begin() as session:
        (await session.get_one(Photo, photo.id)).suggested_tags = ["bird", "river"]
    return photo


async def opened(browser: Browser, served: str, address: str, photo: Photo, width: int = 1280) -> Page:
    """A page with the photo in hand."""
    page = await browser.open(f"{served}{address}", width=width)
    if address == "/gallery":
        await page.locator(f'.card[data-id="{photo.id}"]').focus()
    else:
        await expect(page.locator("#position")).to_have_text("1 / 2")
        await page.keyboard.press("End")
        await expect(page.locator("#file-name")).to_have_text(photo.file_name)
    return page


async def until_in_project(site: Site, photo: Photo, project: str) -> None:
    async with asyncio.timeout(30):
        while True:
            if (await site.client.get(f"/api/photos/{photo.id}")).json()["project"] == project:
                return
            await asyncio.sleep(0.02)


def tags(page: Page) -> Locator:
    return page.get_by_role("list", name="Tags").get_by_role("listitem")


@ADDRESSES
async def test_tags_are_taken_and_added_and_every_change_is_undone(
    site: Site, served: str, browser: Browser, address: str
) -> None:
    photo = await a_tagged_photo(site)
    page = await opened(browser, served, address, photo)
    await page.keyboard.press("i")
    await expect(tags(page)).to_have_text(["bird", "river"])
    await page.get_by_role("button", name="Take the tag bird away").click()
    field = page.get_by_label("Add a tag")
    await expect(field).to_be_focused()
    await page.keyboard.type("kx 5, River,<b>dipper")
    await page.keyboard.press("Enter")
    await expect(tags(page)).to_have_text(["river", "kx 5", "<b>dipper"])
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+z")
    await expect(tags(page)).to_have_text(["river"])
    await page.keyboard.press("Control+z")
    await expect(tags(page)).to_have_text(["bird", "river"])
    await page.keyboard.press("Control+Shift+z")
    await expect(tags(page)).to_have_text(["river"])
    await expect(page.get_by_text("Took bird from the tags of").first).to_be_attached()
    found = await settled_on(site, photo, ["river"])
    assert found["rejected"] is found["kept"] is False
    async with site.services.sessions.begin() as session:
        (await session.get_one(Photo, photo.id)).suggested_tags = ["stone"]  # described again
    await page.reload()
    if address == "/review":
        await expect(page.locator("#position")).to_have_text("2 / 2")
        await page.keyboard.press("i")
    await expect(tags(page)).to_have_text(["river"])
    await page.get_by_role("button", name="As suggested").click()
    await expect(tags(page)).to_have_text(["stone"])


@ADDRESSES
async def test_what_was_typed_counts_when_the_panel_is_closed_at_once(
    site: Site, served: str, browser: Browser, address: str
) -> None:
    photo = await a_tagged_photo(site)
    page = await opened(browser, served, address, photo)
    panel = page.get_by_role("complementary", name="About this photo")
    await page.keyboard.press("t")
    await page.keyboard.type("Iceland")
    await panel.get_by_role("button", name="Close").click()
    await expect(panel).to_be_hidden()
    await until_in_project(site, photo, "Iceland")
    await page.keyboard.press("i")
    await panel.get_by_label("Project").fill("Azores")
    await page.keyboard.press("Enter")
    await expect(panel).to_be_visible()  # it was opened by itself this time
    await until_in_project(site, photo, "Azores")
