"""The loupe in a real browser: a pass by keyboard, and one by touch."""

import re

from playwright.async_api import expect
from sqlalchemy import text

from orchestrator import events
from tests import factories
from tests.browser.browsers import Browser, all_sent
from tests.browser.loupe import at, says
from tests.fingers import swipe
from tests.photos import add_photos, settled
from tests.shoot import FAR, Shoot, a_burst, with_pictures
from tests.site import Site


async def test_a_pass_is_culled_by_keyboard_to_its_end_and_taken_back(
    shoot: Shoot, served: str, browser: Browser
) -> None:
    alone = [await shoot.photo(n * FAR, file_name=f"{n}.jpg") for n in (1, 2)]
    await with_pictures(shoot, *alone)
    frames = await a_burst(shoot, 3 * FAR, 3)  # the last is the sharpest
    await shoot.search()
    page = await browser.open(f"{served}/review")
    await at(page, "1.jpg", "1 / 3")
    await page.keyboard.press("4")
    await says(page, "4 stars for 1.jpg")
    await at(page, "1.jpg", "1 / 3")
    for key in ("Control+x", "Alt+k", "Meta+5"):
        await page.keyboard.press(key)
    await page.keyboard.press("Space")
    await at(page, "2.jpg", "2 / 3")
    await page.keyboard.down("x")
    await page.keyboard.down("x")  # held: the browser repeats it
    await page.keyboard.up("x")
    await at(page, "30000-2.jpg", "3 / 3")
    await says(page, "Rejected 2.jpg. 3 of 3: 30000-2.jpg")
    await expect(page.locator("#frames")).to_have_text("❐ burst of 3")
    await page.keyboard.press("b")
    await expect(page.locator(f".strip-entry[data-id='{frames[0]}']")).to_be_visible()
    await page.keyboard.press("ArrowUp")
    await at(page, "30000-1.jpg", "3 / 3")
    await page.keyboard.press("k")
    await expect(page.get_by_role("heading", name="All 3 are culled")).to_be_visible()
    await says(page, "Kept 30000-1.jpg, rejected 2 others of the burst")
    await expect(page.locator("#end [data-end=words]")).to_contain_text("2 kept, 1 rejected")
    await expect(page.get_by_role("link", name="1 kept: rate it?")).to_be_visible()
    await shoot.until_rejected(alone[1], frames[0], frames[2])
    await page.keyboard.press("k")
    await says(page, "There is no photo here")

    await page.keyboard.press("Control+z")
    await at(page, "30000-1.jpg", "3 / 3")
    await page.keyboard.press("Control+z")
    await at(page, "2.jpg", "2 / 3")
    await says(page, "Undone: Rejected 2.jpg")
    await page.keyboard.press("Shift+Control+z")
    await says(page, "Again: Rejected 2.jpg")
    await page.keyboard.press("Home")
    await at(page, "1.jpg", "1 / 3")
    await expect(page.locator(".loupe-decide .stars .on")).to_have_count(4)
    await page.goto(f"{served}/review")
    await at(page, "30000-2.jpg", "3 / 3")
    assert await shoot.rejected() == [alone[1]]
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("heading", name="That was the last of 3")).to_be_visible()
    await comes_in(shoot, "late.jpg")
    await page.get_by_role("button", name="Go on with 1 more").click()
    await at(page, "late.jpg", "4 / 4")
    await page.keyboard.press("Escape")
    await expect(page).to_have_url(re.compile("/gallery$"))


async def comes_in(shoot: Shoot, name: str) -> None:
    late = await shoot.photo(4 * FAR, file_name=name)
    await with_pictures(shoot, late)
    async with shoot.site.session() as session:
        await factories.tell(session, events.PHOTOS, late)


async def test_a_burst_that_is_found_while_the_pass_is_open_is_decided_about_once(
    shoot: Shoot, served: str, browser: Browser
) -> None:
    frames = await a_burst(shoot, 0, 3)
    await with_pictures(shoot, await shoot.photo(FAR, file_name="after.jpg"))
    page = await browser.open(f"{served}/review")
    await at(page, "0-0.jpg", "1 / 4")
    await shoot.search()
    await expect(page.locator("#frames")).to_have_text("❐ burst of 3")
    await page.keyboard.press("k")
    await at(page, "after.jpg", "4 / 4")
    await shoot.until_rejected(*frames[1:])
    await page.keyboard.press("Control+z")
    await at(page, "0-0.jpg", "1 / 4")


async def test_all_exposures_of_a_bracket_are_kept_by_one_key(shoot: Shoot, served: str, browser: Browser) -> None:
    await a_burst(shoot, 0, 3)
    await shoot.search()
    async with shoot.site.session() as session:
        await session.execute(text("UPDATE bursts SET kind = 'bracket'"))
        await session.commit()
    page = await browser.open(f"{served}/review")
    await expect(page.locator("#frames")).to_have_text("❐ bracket of 3")
    await page.keyboard.press("k")
    await says(page, "Kept all 3 exposures")
    await expect(page.get_by_role("heading", name="The only one is culled")).to_be_visible()
    await all_sent(page)
    assert await shoot.rejected() == []
    counts = (await shoot.site.client.get("/api/review/passes/1")).json()
    assert (counts["kept"], counts["to_rate"]) == (1, 3)


async def test_a_pass_is_culled_by_touch_on_a_phone(site: Site, served: str, browser: Browser) -> None:
    first, second, third = await add_photos(site, 3)
    page = await browser.open(f"{served}/review?pass=cull", width=390)
    decide = page.locator(".loupe-decide")
    await at(page, first.file_name, "1 / 3")
    assert await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    small = "[...document.querySelectorAll('.loupe-decide button, .loupe-line button')].filter((button) => {"
    small += (
        "const { width, height } = button.getBoundingClientRect(); return height && Math.min(width, height) < 44; })"
    )
    assert await page.evaluate(f"{small}.map((button) => button.outerHTML)") == []
    await decide.get_by_role("button", name="Keep", exact=True).tap()
    await at(page, second.file_name, "2 / 3")
    await swipe(page, 0, 200)
    await at(page, third.file_name, "3 / 3")
    await swipe(page, 200, 0)
    await at(page, second.file_name, "2 / 3")
    await decide.get_by_role("button", name="Undo (Ctrl+Z)").tap()
    await says(page, f"Undone: Rejected {second.file_name}")
    await swipe(page, 0, -200)
    await expect(decide.get_by_role("button", name="Pick")).to_have_attribute("aria-pressed", "true")
    await swipe(page, -200, 0)
    await at(page, third.file_name, "3 / 3")
    await decide.get_by_role("button", name="3 stars").tap()
    await settled(site, first, kept=True, rejected=False)
    await settled(site, second, manual_match=True, kept=True, rejected=False)
    await settled(site, third, user_rating=3)
