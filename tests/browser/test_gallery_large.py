"""One photo of the gallery as large as the window: looked at closely, decided about, and left for the same place."""

import asyncio

from playwright.async_api import Locator, Page, expect
from sqlalchemy import text

from orchestrator.models import Photo
from tests import factories
from tests.browser.browsers import Browser, all_sent
from tests.fingers import swipe
from tests.site import Site


async def some_photos(site: Site, count: int) -> list[Photo]:
    async with site.session() as session:
        root = await factories.a_root(session)
        photos = [await factories.a_photo(session, root, f"DSC_{n:04}.jpg") for n in range(count)]
        for n, photo in enumerate(photos):
            await factories.a_picture(session, site.claims, photo, factories.a_gradient(hue=n * 40))
        await session.commit()
    return photos


def large(page: Page) -> Locator:
    return page.get_by_role("region", name="Photo, large")


async def settled(site: Site, condition: str, count: int) -> None:
    async with asyncio.timeout(30):
        while True:
            async with site.session() as session:
                if await session.scalar(text(f"SELECT count(*) FROM photos WHERE {condition}")) == count:
                    return
            await asyncio.sleep(0.02)


async def test_the_keys_of_the_loupe_work_on_the_focused_card(site: Site, served: str, browser: Browser) -> None:
    *_, third, second, first = await some_photos(site, 6)
    async with site.session() as session:
        await session.execute(text("INSERT INTO bursts (id, kind, size, started_at) VALUES (7, 'burst', 2, now())"))
        await session.execute(
            text("UPDATE photos SET burst_id = 7 WHERE id = ANY(:ids)"), {"ids": [second.id, third.id]}
        )
        await session.commit()
    page = await browser.open(f"{served}/gallery", theme="dark")
    card = page.locator(f'.card[data-id="{first.id}"]')
    await card.focus()
    await page.keyboard.press("z")
    await expect(large(page).locator("[data-part=name]")).to_have_text(first.file_name)
    await expect(large(page).locator(".loupe-photo")).to_be_visible()
    await page.keyboard.press("ArrowRight")
    await expect(large(page).locator("[data-part=name]")).to_have_text(second.file_name)
    await page.keyboard.press("5")
    await expect(large(page).locator(".stars .on")).to_have_count(5)
    await settled(site, f"user_rating = 5 AND id = {second.id}", 1)
    await page.keyboard.press("o")
    await expect(large(page).get_by_role("button", name="Focus peaking")).to_have_attribute("aria-pressed", "true")
    await page.keyboard.press("i")
    panel = page.get_by_role("complementary", name="About this photo")
    await expect(panel.get_by_role("heading", name=second.file_name)).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(panel).to_be_hidden()
    await page.go_back()
    await expect(large(page)).to_be_hidden()
    await expect(page.locator(f'.card[data-id="{second.id}"]')).to_be_focused()

    await page.keyboard.press("m")
    await page.keyboard.press("Shift+ArrowRight")
    await page.keyboard.press("c")
    compared = large(page).locator(".compared")
    await expect(compared).to_have_count(2)
    await expect(compared.nth(0)).to_be_focused()
    await page.keyboard.press("x")  # about the one in hand, and not about all that are selected
    await settled(site, f"rejected_at IS NOT NULL AND id = {second.id}", 1)
    await settled(site, "rejected_at IS NOT NULL", 1)
    await page.keyboard.press("Control+z")
    await settled(site, "rejected_at IS NOT NULL", 0)
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("k")  # this one; the other frame of the burst is beside it
    await all_sent(page)
    await settled(site, f"kept_at IS NOT NULL AND id = {third.id}", 1)
    await settled(site, "rejected_at IS NOT NULL", 0)
    await page.keyboard.press("Shift+k")
    await settled(site, f"kept_at IS NOT NULL AND rejected_at IS NULL AND id = {third.id}", 1)
    await settled(site, f"rejected_at IS NOT NULL AND id = {second.id}", 1)
    await page.keyboard.press("Escape")
    await expect(large(page)).to_be_hidden()
    await expect(page.locator("#selection-bar")).to_be_visible()


async def test_a_finger_opens_the_picture_of_the_panel_and_swipes(site: Site, served: str, browser: Browser) -> None:
    *_, second, first = await some_photos(site, 4)
    page = await browser.open(f"{served}/gallery", width=390)
    await page.locator(f'.card[data-id="{first.id}"]').tap()
    panel = page.get_by_role("complementary", name="About this photo")
    await panel.locator(".details-picture").tap()
    await expect(large(page).locator("[data-part=name]")).to_have_text(first.file_name)
    await swipe(page, -100, 0)
    await expect(large(page).locator("[data-part=name]")).to_have_text(second.file_name)
    await large(page).get_by_role("button", name="Reject").tap()
    await settled(site, f"rejected_at IS NOT NULL AND id = {second.id}", 1)
    await large(page).get_by_role("button", name="About this photo").tap()
    await expect(large(page)).to_be_hidden()
    await expect(panel.get_by_role("heading", name=second.file_name)).to_be_visible()
