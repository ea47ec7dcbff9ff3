"""The taste page in a real browser."""

from playwright.async_api import expect

from tests.browser.browsers import Browser
from tests.connoisseur import Connoisseur


async def test_the_page_is_honest_rates_in_place_and_undoes(served: str, browser: Browser, person: Connoisseur) -> None:
    photos = await person.photos(60)
    page = await browser.open(f"{served}/taste")
    sentence = page.locator("#sentence")
    await expect(sentence).to_have_text("20 more ratings, and Keepers begins to learn your taste. It needs 20.")
    await expect(page.get_by_role("button", name="Train now")).to_be_disabled()
    await person.rate(photos[:50])
    await page.reload()
    await page.get_by_role("button", name="Train now").click()
    await person.train()
    await person.settle()
    await expect(sentence).to_contain_text("Trained on 50 ratings")
    await expect(page.get_by_role("img", name="Accuracy by number of ratings")).to_be_visible()
    await expect(page.get_by_role("img", name="Photos by score")).to_be_visible()
    photo = page.locator("#loves .taste-photo").first
    await photo.locator("summary").click()
    await expect(photo.locator(".why")).to_contain_text("Expected:")
    await expect(photo.locator(".pull").first).to_be_visible()
    group = photo.locator(".taste-line .stars")
    before = await group.get_attribute("aria-label")
    other = 2 if before != "Rated 2 stars" else 3
    await photo.locator(f'.taste-line [data-star="{other}"]').click()
    await expect(group).to_have_attribute("aria-label", f"Rated {other} stars")
    await expect(page.locator("#now")).to_contain_text("learns from them in")
    await page.get_by_role("button", name="Undo").click()
    await expect(group).to_have_attribute("aria-label", before or "")
    await page.set_viewport_size({"width": 390, "height": 844})
    assert await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
