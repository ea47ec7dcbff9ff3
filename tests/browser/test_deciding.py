"""Deciding in a real browser: by key, by mouse and by touch, with undo, while the server comes and goes."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Locator, Page, Route, expect
from sqlalchemy import text

from orchestrator.models import Photo
from tests.browser.browsers import Browser
from tests.photos import add_photos, settled
from tests.site import Site, serve


def card(page: Page, photo: Photo) -> Locator:
    return page.locator(f'.card[data-id="{photo.id}"]')


def stars(page: Page, photo: Photo) -> Locator:
    return card(page, photo).locator(".stars .on")


def toast(page: Page) -> Locator:
    return page.locator(".toast")


async def events(site: Site) -> int:
    async with site.session() as session:
        return int((await session.execute(text("SELECT count(*) FROM rating_events"))).scalar_one())


async def open_on(browser: Browser, address: str, photo: Photo, **options: Any) -> Page:
    """The gallery, with the focus on a photo."""
    page = await browser.open(f"{address}/gallery", **options)
    await expect(card(page, photo)).to_be_visible()
    await card(page, photo).focus()
    return page


@pytest.mark.parametrize("width", [1280, 390])
async def test_keys_decide_about_the_focused_photo(site: Site, served: str, browser: Browser, width: int) -> None:
    *_, other, photo = await add_photos(site, 4)
    page = await open_on(browser, served, photo, width=width)
    focused = page.locator(".card:focus")
    status = page.get_by_role("status").filter(has_text=photo.file_name)
    for key, sentence in (
        ("4", "4 stars for DSC_0003.jpg"),
        ("p", "Picked DSC_0003.jpg"),
        ("x", "Rejected DSC_0003.jpg"),
        ("x", "Restored DSC_0003.jpg"),
        ("x", "Rejected DSC_0003.jpg"),
        ("u", "Cleared pick and reject of DSC_0003.jpg"),
    ):
        await page.keyboard.press(key)
        await expect(status).to_have_text(sentence)
        await expect(toast(page).locator("p")).to_have_text(sentence)
        await expect(focused).to_have_attribute("data-id", str(photo.id))
    await expect(stars(page, photo)).to_have_count(4)
    await settled(site, photo, user_rating=4, manual_match=False, kept=True, rejected=False)
    await page.keyboard.press("Shift+Numpad0")  # how a keypad with Num Lock is pressed here
    await expect(stars(page, photo)).to_have_count(0)
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("k")
    await expect(card(page, other).get_by_text("Kept")).to_be_attached()
    await settled(site, photo, user_rating=None, kept=True)
    await settled(site, other, user_rating=None, kept=True)


async def test_modifiers_repeats_and_typing_decide_nothing(site: Site, served: str, browser: Browser) -> None:
    *_, photo = await add_photos(site, 2)
    page = await open_on(browser, served, photo)
    for key in ("Control+1", "Alt+p", "Meta+k", "Shift+X", "6", "Numpad5", "Shift+Numpad7"):
        await page.keyboard.press(key)
    await page.keyboard.down("x")
    await page.keyboard.down("x")  # held: the browser repeats it
    await page.keyboard.down("x")
    await page.keyboard.up("x")
    await expect(card(page, photo).get_by_text("Rejected")).to_be_visible()
    await page.get_by_label("Sort").focus()
    await page.keyboard.press("p")
    await page.evaluate("document.activeElement.blur()")
    await page.keyboard.press("5")  # no photo is in hand
    await settled(site, photo, rejected=True)
    assert await events(site) == 1


@pytest.mark.parametrize("width", [1280, 390])
async def test_undo_goes_back_step_by_step_and_redo_forth(
    site: Site, served: str, browser: Browser, width: int
) -> None:
    *_, photo = await add_photos(site, 3)
    page = await open_on(browser, served, photo, width=width)
    await page.keyboard.press("2")
    await page.keyboard.press("5")
    await page.keyboard.press("x")
    await toast(page).get_by_role("button", name="Undo").click()
    await expect(card(page, photo).get_by_text("Rejected")).to_have_count(0)
    await expect(page.locator(".card:focus")).to_have_attribute("data-id", str(photo.id))
    await page.keyboard.press("Control+z")
    await expect(stars(page, photo)).to_have_count(2)
    await page.keyboard.press("Control+z")
    await expect(stars(page, photo)).to_have_count(0)
    await page.keyboard.press("Control+z")
    await expect(toast(page).locator("p")).to_have_text("Nothing to undo")
    await page.keyboard.press("Control+Shift+Z")
    await page.keyboard.press("Control+Shift+Z")
    await expect(stars(page, photo)).to_have_count(5)
    await settled(site, photo, user_rating=5, rejected=False)
    await page.reload()
    await expect(stars(page, photo)).to_have_count(5)
    await page.keyboard.press("Control+z")  # a reload forgets no step
    await expect(stars(page, photo)).to_have_count(2)
    await settled(site, photo, user_rating=2)


async def test_stars_take_clicks_and_open_nothing(site: Site, served: str, browser: Browser) -> None:
    *_, photo = await add_photos(site, 2)
    page = await browser.open(f"{served}/gallery")
    third = card(page, photo).get_by_role("button", name="3 stars")
    await third.click()
    await expect(stars(page, photo)).to_have_count(3)
    await expect(page.locator(".card:focus")).to_have_attribute("data-id", str(photo.id))
    await expect(page.locator("#details")).to_be_hidden()
    await settled(site, photo, user_rating=3, kept=True)
    await third.click()
    await settled(site, photo, user_rating=None, kept=True)


async def test_a_finger_decides_in_the_panel(site: Site, served: str, browser: Browser) -> None:
    *_, photo = await add_photos(site, 2)
    page = await browser.open(f"{served}/gallery", width=390)
    await card(page, photo).tap()
    panel = page.get_by_role("complementary", name="About this photo")
    buttons = panel.locator(".decision-bar button")
    await expect(buttons).to_have_count(8)
    await expect(buttons.first).to_be_visible()
    for box in [await buttons.nth(n).bounding_box() for n in range(8)]:
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
    await panel.get_by_role("button", name="4 stars").tap()
    await panel.get_by_role("button", name="Pick").tap()
    await expect(panel.get_by_role("button", name="Keep")).to_have_attribute("aria-pressed", "true")
    await panel.get_by_role("button", name="Reject").tap()
    await settled(site, photo, user_rating=4, manual_match=True, kept=True, rejected=True)
    await panel.get_by_role("button", name="Restore").tap()
    await settled(site, photo, rejected=False)
    await toast(page).get_by_role("button", name="Undo").tap()
    await settled(site, photo, rejected=True)
    await expect(panel.get_by_role("button", name="Restore")).to_be_visible()


async def test_a_rated_photo_stays_under_the_hand_and_other_tabs_follow(
    site: Site, served: str, browser: Browser
) -> None:
    *_, photo = await add_photos(site, 3)
    page = await browser.open(f"{served}/gallery?filter=unrated")
    other = await page.context.new_page()
    await other.goto(f"{served}/gallery")
    before = await card(page, photo).bounding_box()
    await card(page, photo).focus()
    await page.keyboard.press("3")
    await expect(stars(other, photo)).to_have_count(3)
    await expect(page.locator("#summary")).to_have_text("2 photos")
    assert await card(page, photo).bounding_box() == before
    await page.keyboard.press("x")
    await expect(card(other, photo).get_by_text("Rejected")).to_be_visible()
    assert await card(page, photo).bounding_box() == before
    await expect(page.locator(".card:focus")).to_have_attribute("data-id", str(photo.id))
    await page.reload()
    await expect(page.locator(".card")).to_have_count(2)


async def test_what_the_server_refuses_is_put_back_with_its_sentence(site: Site, served: str, browser: Browser) -> None:
    *_, photo = await add_photos(site, 2)
    page = await open_on(browser, served, photo)
    async with site.session() as session:
        await session.execute(text("UPDATE photos SET deleted_at = now() WHERE id = :id"), {"id": photo.id})
        await session.commit()
    await page.keyboard.press("5")
    await expect(toast(page).locator("p")).to_have_text(
        "Not done: 5 stars for DSC_0001.jpg. This photo is not in Keepers: it was removed, or never there."
    )
    await expect(stars(page, photo)).to_have_count(0)
    await page.keyboard.press("Control+z")
    await expect(toast(page).locator("p")).to_have_text("Nothing to undo")


async def test_decisions_show_at_once_and_are_sent_in_their_order(site: Site, served: str, browser: Browser) -> None:
    *_, photo = await add_photos(site, 2)
    page = await open_on(browser, served, photo)
    may_pass = asyncio.Event()

    async def slow(route: Route) -> None:
        await may_pass.wait()
        await route.continue_()

    await page.route("**/api/decisions**", slow)
    for key in ("1", "2", "3", "x", "Control+z"):
        await page.keyboard.press(key)
    await expect(stars(page, photo)).to_have_count(3)
    await expect(card(page, photo).get_by_text("Rejected")).to_have_count(0)
    assert await events(site) == 0
    may_pass.set()
    await settled(site, photo, user_rating=3, rejected=False)
    async with site.session() as session:
        rows = await session.execute(text("SELECT after->>'user_rating' FROM rating_events ORDER BY id"))
        assert rows.scalars().all()[:3] == ["1", "2", "3"]


async def test_decisions_made_while_the_server_is_gone_are_sent_when_it_is_back(site: Site, browser: Browser) -> None:
    *_, other, photo = await add_photos(site, 2)
    async with serve(site) as address:
        page = await open_on(browser, address, photo)
        await page.keyboard.press("1")
        await settled(site, photo, user_rating=1)
    await page.keyboard.press("5")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("x")
    await expect(page.get_by_text("2 decisions wait to be sent.")).to_be_visible()
    await expect(stars(page, photo)).to_have_count(5)
    await expect(card(page, other).get_by_text("Rejected")).to_be_visible()
    port = int(address.rpartition(":")[2])
    async with serve(site, port=port):
        await settled(site, photo, user_rating=5)
        await settled(site, other, rejected=True)
        await expect(page.get_by_text("Keepers is not answering.", exact=False)).to_be_hidden()
        await expect(stars(page, photo)).to_have_count(5)
    assert await events(site) == 3


async def test_a_reload_loses_no_decision_that_could_not_be_sent(site: Site, served: str, browser: Browser) -> None:
    *_, photo = await add_photos(site, 2)
    page = await open_on(browser, served, photo)
    await page.route("**/api/decisions**", lambda route: route.abort())
    await page.keyboard.press("4")
    await expect(page.get_by_text("1 decision waits to be sent.")).to_be_visible()
    await page.reload()
    await expect(stars(page, photo)).to_have_count(4)
    assert await events(site) == 0
    await page.unroute("**/api/decisions**")
    await settled(site, photo, user_rating=4, kept=True)
    await expect(page.get_by_text("1 decision waits to be sent.")).to_be_hidden()
    await expect(stars(page, photo)).to_have_count(4)
    assert await page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('decision'))") == []


async def test_another_page_sends_what_was_left_behind(site: Site, served: str, browser: Browser) -> None:
    *_, photo = await add_photos(site, 2)
    page = await open_on(browser, served, photo)
    await page.route("**/api/decisions**", lambda route: route.abort())
    await page.keyboard.press("4")
    await expect(page.get_by_text("1 decision waits to be sent.")).to_be_visible()
    await page.unroute("**/api/decisions**")
    await page.goto(f"{served}/logs")
    await settled(site, photo, user_rating=4)


async def test_the_panel_tells_what_was_decided(site: Site, served: str, browser: Browser) -> None:
    *_, photo = await add_photos(site, 2)
    page = await open_on(browser, served, photo)
    await page.keyboard.press("4")
    await page.keyboard.press("x")
    await page.keyboard.press("Control+z")
    await page.keyboard.press("i")
    section = page.locator('[data-part="history"]')
    await expect(section.locator("dd")).to_have_text(["restored, by undo", "rejected", "4 stars"])
    await expect(section.locator("dt").first).to_have_text("just now")
