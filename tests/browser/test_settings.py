"""The settings in a real browser: keys are chosen by pressing them, and other tabs follow."""

from playwright.async_api import expect

from tests.browser.browsers import Browser
from tests.photos import add_photos, settled
from tests.site import Site, serve


async def test_a_key_is_chosen_by_pressing_it_and_works_in_a_tab_that_is_open(
    site: Site, served: str, browser: Browser
) -> None:
    first, second = await add_photos(site, 2)
    loupe = await browser.open(f"{served}/review")
    await expect(loupe.locator("#file-name")).to_have_text(first.file_name)
    page = await loupe.context.new_page()
    await page.goto(f"{served}/settings")
    row = page.locator('[data-action="reject"]')
    await row.get_by_role("button", name="Add a key").click()
    await expect(row.locator(".waits")).to_be_focused()
    await page.keyboard.press("k")
    await expect(row.get_by_role("alert")).to_contain_text("“k” does something else already: keep")
    await expect(row.get_by_role("button", name="Add a key")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Control+k")
    await expect(row.get_by_role("alert")).to_contain_text("without them")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Delete")
    await expect(row.locator(".key")).to_have_text(["x", "Delete"])
    await row.get_by_role("button", name="Take x away").click()
    await expect(row.locator(".key")).to_have_text(["Delete"])
    await page.get_by_label("Go on to the next photo after a rating").check()
    await expect(page.locator(".toast")).to_contain_text("A rating goes on")

    await loupe.bring_to_front()
    await loupe.keyboard.press("x")
    await loupe.keyboard.press("3")
    await expect(loupe.locator("#file-name")).to_have_text(second.file_name)
    await loupe.keyboard.press("Delete")
    await expect(loupe.get_by_role("heading", name="All 2 are culled")).to_be_visible()
    await settled(site, first, user_rating=3, rejected=False)
    await settled(site, second, rejected=True)
    await page.bring_to_front()
    await page.get_by_role("button", name="All keys as usual").click()
    await expect(row.locator(".key")).to_have_text(["x"])
    await expect(page.get_by_role("button", name="All keys as usual")).to_be_disabled()


async def test_a_choice_that_could_not_be_stored_says_so(site: Site, browser: Browser) -> None:
    async with serve(site) as address:
        page = await browser.open(f"{address}/settings", width=390)
        await expect(page.get_by_label("Newest first")).to_be_visible()
    await page.get_by_label("Newest first").click()
    await expect(page.locator(".toast")).to_contain_text("Not stored: Keepers is not answering.")
    await expect(page.get_by_label("Lowest taste match first")).to_be_checked()
