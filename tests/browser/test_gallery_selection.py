"""Selecting photos of the gallery and deciding about all of them, in a real browser."""

import asyncio
import os
import re
from typing import Any

from playwright.async_api import Locator, Page, Route, expect
from sqlalchemy import text

from orchestrator import events
from orchestrator.models import Photo
from tests import factories
from tests.browser.browsers import Browser
from tests.site import Site


async def some_photos(site: Site, count: int) -> list[Photo]:
    """The newest last."""
    async with site.session() as session:
        root = await factories.a_root(session)
        photos = [await factories.a_photo(session, root, f"DSC_{n:04}.jpg") for n in range(count)]
        for n, photo in enumerate(photos[:40]):
            await factories.a_picture(session, site.claims, photo, factories.a_gradient(600, 400, n * 37))
        await factories.tell(session, events.PHOTOS, *(photo.id for photo in photos[:500]))
    return photos


def card(page: Page, photo: Photo) -> Locator:
    return page.locator(f'.card[data-id="{photo.id}"]')


def bar(page: Page) -> Locator:
    return page.get_by_role("region", name="Selected photos")


def toast(page: Page) -> Locator:
    return page.locator(".toast p")


async def selected(page: Page, *photos: Photo) -> None:
    """These cards are selected and no others."""
    await expect(page.locator('.card[aria-selected="true"]')).to_have_count(len(photos))
    for photo in photos:
        await expect(card(page, photo)).to_have_attribute("aria-selected", "true")
        await expect(card(page, photo).get_by_role("button", name="Select")).to_have_attribute("aria-pressed", "true")
    if photos:
        await expect(bar(page).get_by_text(f"{len(photos)} selected")).to_be_visible()
    else:
        await expect(bar(page)).to_be_hidden()


async def settled(site: Site, condition: str, count: int) -> None:
    """Once the server has it."""
    async with asyncio.timeout(30):
        while True:
            async with site.session() as session:
                found = await session.scalar(text(f"SELECT count(*) FROM photos WHERE {condition}"))
            if found == count:
                return
            await asyncio.sleep(0.02)


async def opened(browser: Browser, address: str, *photos: Photo, **options: Any) -> Page:
    page = await browser.open(address, **options)
    for photo in photos:
        await expect(card(page, photo)).to_be_visible()
    return page


async def test_photos_are_selected_by_key_and_mouse_and_the_focus_follows(
    site: Site, served: str, browser: Browser
) -> None:
    *_, fifth, fourth, third, second, first = await some_photos(site, 12)
    page = await opened(browser, f"{served}/gallery", first)
    await card(page, first).focus()
    await page.keyboard.press("m")
    await selected(page, first)
    await page.keyboard.press("Shift+ArrowRight")
    await page.keyboard.press("Shift+ArrowRight")
    await selected(page, first, second, third)
    await page.keyboard.press("Shift+ArrowLeft")  # a range gives back what it had taken
    await selected(page, first, second)
    await expect(page.locator(".card:focus")).to_have_attribute("data-id", str(second.id))
    await card(page, fifth).click(modifiers=["Shift"])
    await selected(page, first, second, third, fourth, fifth)
    await card(page, second).click(modifiers=["ControlOrMeta"])
    await card(page, fourth).get_by_role("button", name="Select").click()
    await selected(page, first, third, fifth)
    await expect(page.locator(".card:focus")).to_have_attribute("data-id", str(fourth.id))
    await expect(page.get_by_role("complementary", name="About this photo")).to_be_hidden()
    await page.keyboard.press("Escape")
    await selected(page)
    await expect(page.locator(".card:focus")).to_have_attribute("data-id", str(fourth.id))


async def test_keys_and_buttons_decide_about_all_that_is_selected_and_are_undone(
    site: Site, served: str, browser: Browser
) -> None:
    *_, third, second, first = await some_photos(site, 6)
    page = await opened(browser, f"{served}/gallery", first)
    await card(page, first).focus()
    await page.keyboard.press("m")
    await page.keyboard.press("Shift+ArrowRight")
    for key, said, condition in (
        ("4", "4 stars for 2 photos", "user_rating = 4"),
        ("0", "Cleared the stars of 2 photos", "user_rating IS NULL AND kept_at IS NOT NULL"),
        ("p", "Picked 2 photos", "manual_match"),
        ("x", "Rejected 2 photos", "rejected_at IS NOT NULL"),
        (
            "u",
            "Cleared pick and reject of 2 photos",
            "NOT manual_match AND rejected_at IS NULL AND kept_at IS NOT NULL",
        ),
    ):
        await page.keyboard.press(key)
        await expect(toast(page)).to_have_text(said)
        await settled(site, condition, 2)
    await selected(page, first, second)
    await bar(page).get_by_role("button", name="5 stars").click()
    await settled(site, "user_rating = 5", 2)
    await page.get_by_role("button", name="Undo").click()
    await settled(site, "user_rating = 5", 0)
    await page.keyboard.press("Control+Shift+Z")
    await settled(site, "user_rating = 5", 2)
    await card(page, first).focus()
    await page.keyboard.press("t")
    await page.keyboard.type("Iceland")
    await page.keyboard.press("Enter")
    await settled(site, "project_id IS NOT NULL", 2)
    await expect(card(page, second).locator(".project")).to_have_text("Iceland")
    await bar(page).get_by_role("button", name="Reject").click()
    await settled(site, "rejected_at IS NOT NULL", 2)
    await expect(card(page, first).get_by_text("Rejected")).to_be_visible()
    await bar(page).get_by_role("button", name="Restore").click()
    await settled(site, "rejected_at IS NULL", 6)
    for _ in range(3):
        await page.keyboard.press("Control+z")
    await settled(site, "project_id IS NULL", 6)
    await expect(card(page, third)).to_have_attribute("aria-selected", "false")


async def test_tags_are_added_to_all_that_are_selected_and_taken_from_them(
    site: Site, served: str, browser: Browser
) -> None:
    *_, third, second, first = await some_photos(site, 6)
    async with site.session() as session:
        await session.execute(text("UPDATE photos SET suggested_tags = ARRAY['dog', 'beach']"))
        await session.execute(text("UPDATE photos SET tags = ARRAY['Best'] WHERE id = :id"), {"id": first.id})
        await session.commit()
    page = await opened(browser, f"{served}/gallery", first, third)
    await expect(page.locator("#summary")).to_have_text("6 photos")
    await card(page, first).focus()
    await page.keyboard.press("m")
    await page.keyboard.press("Shift+ArrowRight")
    await bar(page).get_by_role("button", name="Tags…").click()
    tags = bar(page).get_by_role("listitem")
    await expect(tags).to_have_text(["beach\xa01", "Best\xa01", "dog\xa01"])
    await page.keyboard.type("best, 2024")  # the cursor is there
    await page.keyboard.press("Enter")
    await expect(toast(page)).to_have_text("Tagged 2 photos: best, 2024")
    await expect(tags).to_have_text(["2024", "Best", "beach\xa01", "dog\xa01"])
    await page.keyboard.press("Escape")
    await selected(page, first, second)
    await card(page, first).focus()
    await page.keyboard.press("a")
    await bar(page).get_by_role("button", name="Tags…").click()
    await bar(page).get_by_role("button", name="Take the tag dog away").click()
    await expect(toast(page)).to_have_text("Took the tag dog from 6 photos")
    await expect(tags).to_have_text(["beach\xa05", "2024\xa02", "Best\xa02"])
    await settled(site, "tags = ARRAY['beach']", 4)
    await expect(bar(page).get_by_text("6 selected")).to_be_visible()  # the list holds the same photos
    await page.get_by_role("button", name="Undo").click()
    await settled(site, "tags IS NULL", 4)
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+z")
    await settled(site, "tags IS NULL", 5)
    await page.keyboard.press("Control+Shift+z")
    await settled(site, "'2024' = ANY(tags)", 2)


async def test_all_results_are_one_selection_and_not_a_list(site: Site, served: str, browser: Browser) -> None:
    photos = await some_photos(site, 300)
    page = await opened(browser, f"{served}/gallery?filter=unrated", photos[-1])
    await expect(page.locator("#summary")).to_have_text("300 photos")
    sent: list[dict[str, Any]] = []
    may_pass = asyncio.Event()

    async def slow(route: Route) -> None:
        sent.append(route.request.post_data_json)
        await may_pass.wait()
        await route.continue_()

    await page.route("**/api/decisions", slow)
    await page.keyboard.press("Control+a")
    await card(page, photos[-1]).click(modifiers=["ControlOrMeta"])
    await expect(bar(page).get_by_text("299 selected")).to_be_visible()
    await page.keyboard.press("3")
    await expect(bar(page).get_by_text("Working on 299 photos…")).to_be_visible()
    await expect(card(page, photos[-2]).locator(".stars .on")).to_have_count(3)
    await page.keyboard.press("x")  # of another list perhaps: it is not known yet
    await expect(toast(page)).to_contain_text("What you decided before is still on its way")
    await bar(page).get_by_role("button", name="Remove…").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    may_pass.set()
    await settled(site, "user_rating = 3", 299)
    await expect(bar(page)).to_be_hidden()  # what the filter holds now is another set
    assert [{name: body.get(name) for name in ("ids", "selection", "except")} for body in sent] == [
        {"ids": None, "selection": {"filter": "unrated"}, "except": [photos[-1].id]}
    ]
    await expect(card(page, photos[-2]).get_by_text("Left list")).to_be_visible()  # it does not jump away
    await page.get_by_role("button", name="Undo").click()
    await settled(site, "user_rating IS NULL", 300)
    await expect(card(page, photos[-2]).get_by_text("Left list")).to_have_count(0)


async def test_a_refused_decision_says_so_and_keeps_the_selection(site: Site, served: str, browser: Browser) -> None:
    photos = await some_photos(site, 5)
    page = await opened(browser, f"{served}/gallery", photos[-1])
    await expect(page.locator("#summary")).to_have_text("5 photos")
    body = {"error": {"type": "busy", "message": "The archive is being moved."}}
    await page.route("**/api/decisions", lambda route: route.fulfill(status=409, json=body))
    await page.keyboard.press("Control+a")
    await page.keyboard.press("x")
    await expect(toast(page)).to_have_text("Not done: Rejected 5 photos. The archive is being moved.")
    await selected(page, *photos)
    await expect(card(page, photos[0]).get_by_text("Rejected")).to_have_count(0)
    await page.get_by_role("link", name="Unrated").click()
    await expect(toast(page)).to_have_text("5 photos are no longer selected: this is another list")
    await selected(page)


async def test_removal_is_asked_once_and_undone(site: Site, served: str, browser: Browser) -> None:
    photos = await some_photos(site, 4)
    page = await opened(browser, f"{served}/gallery", photos[-1])
    await card(page, photos[-1]).focus()
    await page.keyboard.press("m")
    await page.keyboard.press("Shift+ArrowRight")
    dialog = page.get_by_role("dialog")
    await bar(page).get_by_role("button", name="Remove…").click()
    await expect(dialog.get_by_role("heading")).to_have_text("Remove 2 photos from Keepers?")
    await expect(dialog.get_by_text(re.compile(r"^Frees \d+ kB of previews, originals stay\.$"))).to_be_visible()
    await page.keyboard.press("Escape")
    await selected(page, *photos[-2:])
    await settled(site, "deleted_at IS NULL", 4)
    await bar(page).get_by_role("button", name="Remove…").click()
    await dialog.get_by_role("button", name="Remove from Keepers").click()
    await settled(site, "deleted_at IS NULL", 2)
    await expect(card(page, photos[-1]).get_by_text("Removed")).to_be_visible()
    await page.keyboard.press("Control+z")
    await settled(site, "deleted_at IS NULL", 4)
    await expect(card(page, photos[-1]).get_by_text("Removed")).to_have_count(0)
    await page.keyboard.press("Control+Shift+z")
    await expect(toast(page)).to_contain_text("Again: Removed 2 photos from Keepers")
    await settled(site, "deleted_at IS NULL", 2)
    await page.keyboard.press("Control+z")
    await settled(site, "deleted_at IS NULL", 4)


async def test_a_finger_selects_by_a_long_touch_and_then_by_taps(site: Site, served: str, browser: Browser) -> None:
    photos = await some_photos(site, 8)
    page = await opened(browser, f"{served}/gallery", photos[-1], width=390, theme="dark")
    box = await card(page, photos[-1]).bounding_box()
    assert box is not None
    touch = {"x": box["x"] + 40, "y": box["y"] + 40}
    devices = await page.context.new_cdp_session(page)
    await devices.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [touch]})
    await selected(page, photos[-1])
    await devices.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    await card(page, photos[-2]).tap()
    await selected(page, *photos[-2:])
    buttons = bar(page).locator("button:visible")
    for box in [await buttons.nth(n).bounding_box() for n in range(await buttons.count())]:
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
    await bar(page).get_by_role("button", name="4 stars").tap()
    await settled(site, "user_rating = 4", 2)
    if "GALLERY_SHOT" in os.environ:
        await page.screenshot(path="/tmp/g_phone.png")
    await bar(page).get_by_role("button", name="None").tap()
    await selected(page)
    await card(page, photos[-1]).tap()
    await expect(page.get_by_role("complementary", name="About this photo")).to_be_visible()


async def test_other_tabs_follow_and_nothing_moves_there(site: Site, served: str, browser: Browser) -> None:
    photos = await some_photos(site, 60)
    page = await opened(browser, f"{served}/gallery", photos[-1])
    other = await page.context.new_page()
    await other.goto(f"{served}/gallery")
    await other.mouse.wheel(0, 300)
    await other.wait_for_function("scrollY === 300")
    before = await card(other, photos[-4]).bounding_box()
    await expect(page.locator("#summary")).to_have_text("60 photos")
    await page.keyboard.press("a")
    await page.keyboard.press("x")
    await expect(card(other, photos[-4]).get_by_text("Rejected")).to_be_visible()
    assert await card(other, photos[-4]).bounding_box() == before
    await card(other, photos[-4]).click()
    panel = other.get_by_role("complementary", name="About this photo")
    await panel.get_by_role("button", name="Restore").click()
    await settled(site, "rejected_at IS NULL", 1)
    await expect(card(page, photos[-4]).get_by_text("Rejected")).to_have_count(0)
    async with site.session() as session:  # so much that no photo is named
        await session.execute(text("UPDATE photos SET rejected_at = NULL, user_rating = 5"))
        await events.record(session, events.PHOTOS, list(range(2_000)))
        await session.commit()
    for tab in (page, other):
        await expect(card(tab, photos[-4]).locator(".stars .on")).to_have_count(5)
        await expect(card(tab, photos[-4]).get_by_text("Rejected")).to_have_count(0)


async def test_further_keys_of_the_focused_card(site: Site, served: str, browser: Browser) -> None:
    photos = await some_photos(site, 9)
    async with site.session() as session:
        await session.execute(
            text("INSERT INTO bursts (kind, size, started_at) SELECT 'burst', 2, now() FROM generate_series(1, 2)")
        )
        await session.execute(
            text("UPDATE photos SET burst_id = 1 WHERE id = ANY(:ids)"), {"ids": [photos[6].id, photos[5].id]}
        )
        await session.execute(
            text("UPDATE photos SET burst_id = 2 WHERE id = ANY(:ids)"), {"ids": [photos[2].id, photos[1].id]}
        )
        await session.commit()
    page = await opened(browser, f"{served}/gallery", photos[-1])
    focused = page.locator(".card:focus")
    await card(page, photos[-1]).focus()
    for key, n in ((" ", 7), ("]", 6), ("]", 2), ("[", 5), ("Home", 8), ("End", 0), ("ArrowLeft", 1)):
        await page.keyboard.press(key)
        await expect(focused).to_have_attribute("data-id", str(photos[n].id))
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keys")).to_contain_text("chef’s pick")
    await page.keyboard.press("Escape")
    await expect(focused).to_have_attribute("data-id", str(photos[1].id))
    await page.keyboard.press("t")
    await page.keyboard.type("Iceland")
    await page.keyboard.press("Enter")
    await settled(site, "project_id IS NOT NULL", 1)
    await expect(focused).to_have_attribute("data-id", str(photos[1].id))
    await expect(focused.locator(".project")).to_have_text("Iceland")
    await page.keyboard.press("Control+z")
    await settled(site, "project_id IS NULL", 9)


async def test_a_range_of_more_photos_than_one_request_names_is_one_decision(
    site: Site, served: str, browser: Browser
) -> None:
    photos = await some_photos(site, 1_150)
    page = await opened(browser, f"{served}/gallery", photos[-1])
    await card(page, photos[-1]).focus()
    few = {"ids": [photo.id for photo in photos[-20:]]}  # as the server cuts off what is too much
    await page.route("**/api/photos/between?*", lambda route: route.fulfill(json=few))
    await page.keyboard.press("Shift+End")
    await expect(toast(page)).to_contain_text("More than 20 photos lie between: too many for a range.")
    await selected(page)
    await page.unroute("**/api/photos/between?*")
    await page.keyboard.press("Home")
    await page.keyboard.press("Shift+End")  # what lies between was never loaded
    await expect(bar(page).get_by_text("1,150 selected")).to_be_visible()
    await page.keyboard.press("x")
    await expect(toast(page)).to_have_text("Rejected 1,150 photos")
    await settled(site, "rejected_at IS NOT NULL", 1_150)
    await page.keyboard.press("Control+z")
    await settled(site, "rejected_at IS NOT NULL", 0)
    await page.keyboard.press("Control+Shift+Z")
    await settled(site, "rejected_at IS NOT NULL", 1_150)

    async def refuse_the_second(route: Route) -> None:
        asked = route.request.post_data_json
        body = {"error": {"type": "busy", "message": "The archive is being moved."}}
        if asked["dry_run"] or len(asked["ids"]) == 1_000:
            await route.continue_()
        else:
            await route.fulfill(status=409, json=body)

    await page.route("**/api/removals", refuse_the_second)
    await bar(page).get_by_role("button", name="Remove…").click()
    await page.get_by_role("dialog").get_by_role("button", name="Remove from Keepers").click()
    await expect(toast(page)).to_contain_text(
        "Removed 1,000 photos from Keepers, originals stay. Not the others: The archive"
    )
    await settled(site, "deleted_at IS NULL", 150)
    await page.keyboard.press("Control+z")
    await settled(site, "deleted_at IS NULL", 1_150)
