"""Every key of the loupe in a real browser, and what becomes of decisions when the server or the page goes."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.browsers import Browser, all_sent, becomes
from tests.browser.loupe import at, overlapping, says
from tests.photos import add_photos, settled
from tests.shoot import FAR, Shoot, a_burst, with_pictures
from tests.site import Site, serve


async def two_bursts(shoot: Shoot) -> list[int]:
    """Six stops: two photos, a burst, a photo, a burst, a photo. The ids of the first burst."""
    alone = [await shoot.photo(n * FAR, file_name=f"{n}.jpg") for n in (1, 2, 4, 6)]
    await with_pictures(shoot, *alone)
    frames = await a_burst(shoot, 3 * FAR, 3)
    await a_burst(shoot, 5 * FAR, 2)
    await shoot.search()
    return frames


async def test_keys_that_move_and_look(shoot: Shoot, served: str, browser: Browser) -> None:
    await two_bursts(shoot)
    page = await browser.open(f"{served}/review")
    await at(page, "1.jpg", "1 / 6")
    press = page.keyboard.press
    await press("]")
    await at(page, "30000-2.jpg", "3 / 6")
    await press("]")
    await at(page, "50000-1.jpg", "5 / 6")
    await press("]")
    await says(page, "No burst after this")
    await press("[")
    await at(page, "30000-2.jpg", "3 / 6")
    await press("b")
    await expect(page.locator(".strip-entry")).to_have_count(3)
    await press("ArrowUp")
    await at(page, "30000-1.jpg", "3 / 6")
    await press("ArrowDown")
    await at(page, "30000-2.jpg", "3 / 6")
    await press("b")
    await expect(page.locator("#strip")).to_be_hidden()
    for key, name in (
        ("End", "6.jpg"),
        ("Home", "1.jpg"),
        (" ", "2.jpg"),
        ("ArrowLeft", "1.jpg"),
        ("ArrowRight", "2.jpg"),
    ):
        await press(key)
        await expect(page.locator("#file-name")).to_have_text(name)
    await press("?")
    await expect(page.get_by_role("heading", name="Keys")).to_be_visible()
    await press("Escape")
    await press("i")
    panel = page.get_by_role("complementary", name="About this photo")
    await expect(panel.get_by_role("heading", name="2.jpg")).to_be_visible()
    await press("ArrowRight")
    await expect(panel.get_by_role("heading", name="30000-2.jpg")).to_be_visible()
    for width in (1024, 1280):
        await page.set_viewport_size({"width": width, "height": 800})
        assert await overlapping(page) == []
    await press("Escape")
    await expect(panel).to_be_hidden()
    assert await overlapping(page) == []
    await press("f")
    await becomes(page, "document.fullscreenElement !== null")
    await press("f")
    await becomes(page, "document.fullscreenElement === null")
    await page.get_by_label("Order of the pass").select_option("newest")
    await at(page, "50000-1.jpg", "1 / 6")
    await press("Home")
    assert await shoot.sql("SELECT count(*) AS n FROM rating_events") == [{"n": 0}]


# A key on a French keyboard, where digits need Shift and letters have moved: (key, code, with Shift).
FRENCH: list[tuple[str, str, bool, dict[str, Any]]] = [
    ("&", "Digit1", False, {"user_rating": 1}),
    ("5", "Digit5", True, {"user_rating": 5}),
    ("3", "Numpad3", False, {"user_rating": 3}),
    ("à", "Digit0", False, {"user_rating": None}),
    ("x", "KeyX", False, {"rejected": True}),
    ("p", "KeyP", False, {"manual_match": True}),
    ("P", "KeyP", False, {"manual_match": True}),  # with Caps Lock
    ("л", "KeyK", False, {"kept": True}),  # and on a Russian one
]
SILENT = [
    ("q", "KeyA", {}),  # `a` has moved, and q means nothing
    ("End", "Numpad1", {}),  # without Num Lock
    ("x", "KeyX", {"ctrlKey": True}),
    ("5", "Digit5", {"metaKey": True}),
    ("k", "KeyK", {"altKey": True}),
    ("5", "Digit5", {"repeat": True}),
    ("x", "KeyX", {"repeat": True}),
    ("x", "KeyX", {"isComposing": True}),
]


async def type_key(page: Page, key: str, code: str, **more: Any) -> None:
    event = {"key": key, "code": code, "bubbles": True, "cancelable": True, **more}
    await page.evaluate("(event) => document.body.dispatchEvent(new KeyboardEvent('keydown', event))", event)


async def test_digits_count_by_place_and_letters_by_what_they_write(site: Site, served: str, browser: Browser) -> None:
    (photo, _) = await add_photos(site, 2)
    page = await browser.open(f"{served}/review")
    await at(page, photo.file_name, "1 / 2")
    for key, code, more in SILENT:
        await type_key(page, key, code, **more)
        await page.keyboard.press("Home")
    await at(page, photo.file_name, "1 / 2")
    async with site.session() as session:
        assert (await session.get_one(type(photo), photo.id)).kept_at is None
    for key, code, has_shift, expected in FRENCH:
        await type_key(page, key, code, shiftKey=has_shift)
        await settled(site, photo, **expected)
        await page.keyboard.press("Home")
        await type_key(page, "u", "KeyU")
        await settled(site, photo, rejected=False, manual_match=False)
    await page.keyboard.press("Home")
    await page.keyboard.press("4")
    await page.keyboard.press("u")
    await settled(site, photo, user_rating=4)
    await page.keyboard.press("0")
    await settled(site, photo, user_rating=None)


@pytest.mark.parametrize("width", [1280, 390])
async def test_a_photo_is_put_into_a_project_by_keyboard_while_the_pass_goes_on(
    site: Site, served: str, browser: Browser, width: int
) -> None:
    first, second = await add_photos(site, 2)
    page = await browser.open(f"{served}/review", width=width)
    await at(page, first.file_name, "1 / 2")
    await page.keyboard.press("t")
    await page.keyboard.type("Rivers x 5")
    await page.keyboard.press("Enter")
    await expect(page.locator("#details")).to_be_hidden()
    await says(page, f"Put {first.file_name} into Rivers x 5")
    await page.keyboard.press("k")
    await at(page, second.file_name, "2 / 2")
    await page.keyboard.press("t")
    await page.keyboard.type("Az")
    await page.keyboard.press("Escape")
    await expect(page.locator("#details")).to_be_hidden()
    await page.keyboard.press("Control+z")
    await page.keyboard.press("Control+z")
    await says(page, f"Undone: Put {first.file_name} into Rivers x 5")
    await at(page, first.file_name, "1 / 2")
    await page.keyboard.press("Control+Shift+z")
    await settled(site, first, kept=False, rejected=False)

    async def project() -> Any:
        return (await site.client.get(f"/api/photos/{first.id}")).json()["project"]

    await expect(page.locator("#gone")).to_be_hidden()
    await all_sent(page)
    assert await project() == "Rivers x 5"


async def test_a_server_that_restarts_loses_no_decision_and_a_burst_is_kept_without_it(
    shoot: Shoot, browser: Browser
) -> None:
    frames = await two_bursts(shoot)
    async with serve(shoot.site) as address:
        port = int(address.rsplit(":", 1)[1])
        page = await browser.open(f"{address}/review")
        await at(page, "1.jpg", "1 / 6")
        await expect(page.locator(".loupe-photo").first).to_be_visible()
        await page.keyboard.press("b")
        await page.keyboard.press("]")
        await at(page, "30000-2.jpg", "3 / 6")
        await expect(page.locator(".strip-entry")).to_have_count(3)
        await page.keyboard.press("Home")
        await at(page, "1.jpg", "1 / 6")
    await page.keyboard.press("5")
    await page.keyboard.press("Space")
    await page.keyboard.press("x")
    await at(page, "30000-2.jpg", "3 / 6")
    await page.keyboard.press("k")
    await at(page, "4.jpg", "4 / 6")
    await expect(page.locator("#gone")).to_contain_text("4 decisions wait to be sent")
    async with page.expect_event("dialog") as asked:
        await page.evaluate("setTimeout(() => location.reload())")
    await (await asked.value).dismiss()  # one stays
    await page.keyboard.press("Control+z")
    await at(page, "30000-2.jpg", "3 / 6")
    await page.keyboard.press("Control+Shift+z")
    assert await shoot.rejected() == []
    async with serve(shoot.site, port) as address:
        await page.goto(f"{address}/taste")  # another page sends what is left
        await all_sent(page)
        two = await shoot.sql("SELECT id FROM photos WHERE file_name = '2.jpg'")
        assert await shoot.rejected() == sorted([two[0]["id"], *frames[:2]])
        assert (await shoot.card(frames[2]))["kept"]
        await page.goto(f"{address}/review")
        await at(page, "4.jpg", "4 / 6")
        await page.keyboard.press("Control+z")
        await at(page, "30000-2.jpg", "3 / 6")
        await all_sent(page)
        assert await shoot.rejected() == [two[0]["id"]]


async def test_a_loupe_that_could_not_go_on_does_so_when_the_server_is_back(site: Site, browser: Browser) -> None:
    first, *_ = await add_photos(site, 60)
    async with serve(site) as address:
        port = int(address.rsplit(":", 1)[1])
        page = await browser.open(f"{address}/review")
        await at(page, first.file_name, "1 / 60")
    await page.keyboard.press("End")
    await expect(page.locator("#trouble")).to_contain_text("Keepers is not answering.")
    await page.keyboard.press("x")
    await says(page, "Not decided: the photo is still on its way")
    async with serve(site, port):
        await expect(page.locator("#position")).to_have_text("60 / 60")
        await expect(page.locator("#trouble")).to_be_hidden()
    assert (await site.client.get("/api/photos", params={"filter": "rejected"})).json()["items"] == []


async def test_two_tabs_agree_and_a_photo_that_was_removed_is_left_behind(
    site: Site, served: str, browser: Browser, tmp_path: Path
) -> None:
    first, second, third = await add_photos(site, 3)
    here = await browser.open(f"{served}/review")
    there = await here.context.new_page()
    await there.goto(f"{served}/review")
    for page in (here, there):
        await at(page, first.file_name, "1 / 3")
    await here.keyboard.press("2")
    await there.keyboard.press("4")
    await all_sent(here)
    stars = (await site.client.get(f"/api/photos/{first.id}")).json()["user_rating"]
    assert stars in (2, 4)  # whichever came last
    for page in (here, there):
        await expect(page.locator(".loupe-decide .stars .on")).to_have_count(stars)
    await there.keyboard.press("x")
    await at(there, second.file_name, "2 / 3")
    await expect(here.locator("#badges")).to_contain_text("Rejected")
    await at(here, first.file_name, "1 / 3")
    await here.keyboard.press("x")
    await settled(site, first, rejected=False, user_rating=stars)
    await here.keyboard.press("ArrowRight")
    await at(here, second.file_name, "2 / 3")
    await there.keyboard.press("c")
    await expect(there.locator(".compared")).to_have_count(2)
    removed = await site.client.post("/api/removals", json={"ids": [second.id], "dry_run": False})
    assert removed.status_code == 200, removed.text
    await expect(there.locator("#compare")).to_be_hidden()
    for page in (here, there):
        await at(page, third.file_name, "3 / 3")


async def test_a_kept_photo_is_rated_beside_those_like_it(shoot: Shoot, served: str, browser: Browser) -> None:
    photos = [await shoot.photo(n * FAR, n * 5.0, file_name=f"{n}.jpg") for n in range(4)]
    await with_pictures(shoot, *photos)
    await shoot.post("/api/decisions", ids=photos[:3], action="keep")
    page = await browser.open(f"{served}/review?pass=rate")
    await at(page, "0.jpg", "1 / 3")
    strip = page.locator(".strip-entry")
    await expect(page.locator("#strip")).to_have_attribute("data-words", "Like it")
    await expect(strip).to_have_count(3)
    await strip.nth(1).get_by_role("button").click()
    await at(page, "1.jpg", "1 / 3")
    await page.keyboard.press("5")
    await page.keyboard.press("ArrowUp")
    await at(page, "0.jpg", "1 / 3")
    await page.keyboard.press("3")
    await says(page, "3 stars for 0.jpg")
    await expect(strip.nth(1).locator(".strip-marks")).to_contain_text("★★★★★")
    await page.keyboard.press("ArrowRight")
    await at(page, "1.jpg", "2 / 3")
    await all_sent(page)
    await page.keyboard.press("End")
    await page.keyboard.press("ArrowRight")
    await expect(page.locator("#end [data-end=words]")).to_have_text("2 with stars, 1 without.")
    await expect(page.locator("#end").get_by_role("link", name="Export")).to_be_visible()


async def test_a_pass_that_is_closed_and_reopened_after_new_scores_goes_on_where_it_was(
    shoot: Shoot, served: str, browser: Browser
) -> None:
    photos = [await shoot.photo(n * FAR, file_name=f"{n}.jpg", preference_score=n) for n in range(20)]
    await shoot.sql("UPDATE taste_state SET is_trusted = true")
    page = await browser.open(f"{served}/review")
    for n in range(10):
        await at(page, f"{n}.jpg", f"{n + 1} / 20")
        await page.keyboard.press("kx"[n % 2])
    await at(page, "10.jpg", "11 / 20")
    context = page.context
    await page.close()
    await shoot.sql("UPDATE photos SET preference_score = 100 - preference_score")
    page = await context.new_page()
    await page.goto(f"{served}/review")
    for n in range(10, 20):
        await at(page, f"{n}.jpg", f"{n + 1} / 20")
        await page.keyboard.press("kx"[n % 2])
    await expect(page.locator("#end [data-end=words]")).to_contain_text("10 kept, 10 rejected")
    assert await shoot.rejected() == photos[1::2]
