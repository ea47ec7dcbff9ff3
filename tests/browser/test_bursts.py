"""The burst strip and the line about all bursts, in a real browser."""

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import text

from tests.browser.browsers import Browser, all_sent
from tests.shoot import Shoot, a_burst


def in_hand(page: Page, photo_id: int) -> str:
    return f".burst-frame[data-id='{photo_id}'] .burst-picture:focus"


async def test_a_burst_is_opened_chosen_from_kept_and_undone_by_keyboard(
    shoot: Shoot, served: str, browser: Browser
) -> None:
    photos = await a_burst(shoot, 0, 4)
    await shoot.search()
    page = await browser.open(f"{served}/gallery")
    await expect(page.locator(".burst-badge")).to_have_text(["❐4 ◉", "❐4", "❐4", "❐4"])
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("b")
    await expect(page.get_by_role("heading", name="Burst of 4")).to_be_visible()
    await expect(page.locator(in_hand(page, photos[3]))).to_be_visible()
    await expect(page.locator(".burst-frame.best")).to_have_attribute("data-id", str(photos[3]))

    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("Enter")
    await expect(page.locator(".burst-frame.best")).to_have_attribute("data-id", str(photos[1]))
    await expect(page.locator(".toast")).to_contain_text("0-1.jpg is the best of its burst")

    await page.keyboard.press("k")
    await expect(page.locator("#burst-strip")).to_be_hidden()
    await expect(page.locator(f".card[data-id='{photos[1]}']")).to_be_focused()
    await expect(page.locator(".toast")).to_contain_text("Kept one, rejected 3 others of the burst")
    await expect(page.locator(".card.rejected")).to_have_count(3)
    await expect(page.locator(".burst-badge")).to_have_count(0)
    assert await shoot.rejected() == [photos[0], photos[2], photos[3]]

    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator(".card.rejected")).to_have_count(0)
    await expect(page.locator(".burst-badge")).to_have_count(4)
    assert await shoot.rejected() == []


async def test_keep_on_a_card_keeps_this_frame_and_rejects_the_others_as_one_step(
    shoot: Shoot, served: str, browser: Browser
) -> None:
    first, second, third = await a_burst(shoot, 0, 3)
    await shoot.search()
    page = await browser.open(f"{served}/gallery")
    card = page.locator(f".card[data-id='{second}']")
    toast = page.locator(".toast p")
    await expect(page.locator(".burst-badge")).to_have_count(3)
    await card.focus()
    await page.keyboard.press("k")
    await expect(toast).to_have_text("Kept 0-1.jpg, rejected 2 others of the burst")
    await expect(card).to_be_focused()
    await shoot.until_rejected(first, third)
    await page.keyboard.press("Control+z")
    await shoot.until_rejected()
    await expect(page.locator(".burst-badge")).to_have_count(3)
    await all_sent(page)
    assert not (await shoot.card(second))["kept"]

    await card.focus()
    await page.keyboard.press("m")
    await page.keyboard.press("Shift+ArrowRight")
    await page.keyboard.press("k")
    await expect(toast).to_have_text("Kept 2 photos")
    await page.keyboard.press("Escape")
    await page.keyboard.press("3")  # of the focused one; sent after what was decided before it
    await expect(page.locator(".card .stars .on")).to_have_count(3)
    await page.goto(f"{served}/gallery?filter=rated")  # here the other frames are not loaded
    await expect(page.locator(".burst-badge")).to_have_count(1)
    assert await shoot.rejected() == []
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("i")
    await page.get_by_role("complementary").get_by_role("button", name="Keep").click()
    await expect(toast).to_have_text("Kept 0-0.jpg, rejected 2 others of the burst")
    await shoot.until_rejected(second, third)

    async with shoot.site.session() as session:
        await session.execute(text("UPDATE bursts SET kind = 'bracket'"))
        await session.execute(text("UPDATE photos SET rejected_at = NULL, kept_at = NULL"))
        await session.commit()
    await page.goto(f"{served}/gallery")
    await card.focus()
    await page.keyboard.press("k")
    await expect(toast).to_have_text("Kept 0-1.jpg")  # the other exposures belong to it
    await all_sent(page)
    assert await shoot.rejected() == []


@pytest.mark.parametrize("width", [390])
async def test_all_bursts_are_decided_at_once_on_a_phone(
    shoot: Shoot, served: str, browser: Browser, width: int
) -> None:
    first, second = await a_burst(shoot, 0, 3), await a_burst(shoot, 100, 2)
    await shoot.search()
    page = await browser.open(f"{served}/gallery?filter=bursts", width=width, theme="dark")
    await expect(page.locator("#bursts-line")).to_contain_text("5 photos in 2 groups")
    await page.locator(f".card[data-id='{first[0]}'] .burst-badge").tap()
    await expect(page.get_by_role("button", name="Keep best, reject 2 others")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    await page.get_by_role("button", name="Close (Esc)").tap()
    await page.get_by_role("button", name="Keep Best of all").tap()
    await expect(page.locator(".toast")).to_contain_text("Kept the best of 2 bursts, rejected 3 photos")
    await expect(page.locator("#bursts-line")).to_contain_text("No bursts are left to decide")
    assert await shoot.rejected() == [*first[:2], second[0]]
    await page.reload()
    await page.keyboard.press("Control+z")
    await expect(page.locator("#bursts-line")).to_contain_text("5 photos in 2 groups")
