"""The taste page in a real browser."""

from playwright.async_api import expect

from orchestrator.models import Photo
from tests.browser.browsers import Browser
from tests.connoisseur import Connoisseur
from tests.site import Site


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
    await photo.get_by_text("Why?").click()
    await expect(photo.locator(".why")).to_contain_text("Expected:")
    await expect(photo.locator(".pull").first).to_be_visible()
    given = photo.locator(".taste-line .stars .on")
    before = await given.count()
    other = 2 if before != 2 else 3
    name = await photo.locator(".taste-picture").get_attribute("title")
    await photo.locator(f'.taste-line [data-star="{other}"]').click()
    await expect(given).to_have_count(other)
    await expect(page.locator(".toast p")).to_have_text(f"{other} stars for {name}")
    await expect(page.locator("#now")).to_contain_text("learns from them in")
    await page.get_by_role("button", name="Undo").click()
    await expect(given).to_have_count(before)
    await page.set_viewport_size({"width": 390, "height": 844})
    assert await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


async def test_what_pulled_a_score_is_rated_by_a_key_also_while_the_server_is_gone(
    site: Site, served: str, browser: Browser, person: Connoisseur
) -> None:
    photos = await person.photos(40)
    await person.rate(photos[:30])
    await person.train()
    await person.settle()
    page = await browser.open(f"{served}/taste")
    photo = page.locator("#loves .taste-photo").first
    await photo.get_by_text("Why?").click()
    pull = photo.locator(".pull").first
    id_ = int(await pull.get_attribute("data-id") or 0)
    given, before = pull.locator(".stars .on"), await rating_of(site, id_)
    other = 2 if before != 2 else 3
    await page.route("**/api/decisions**", lambda route: route.abort())
    await pull.get_by_role("link").focus()
    await page.keyboard.press(str(other))
    await expect(page.get_by_text("1 decision waits to be sent.")).to_be_visible()
    await page.reload()
    await expect(page.get_by_text("1 decision waits to be sent.")).to_be_visible()
    assert await rating_of(site, id_) == before
    await page.unroute("**/api/decisions**")
    await expect(page.get_by_text("1 decision waits to be sent.")).to_be_hidden()
    assert await rating_of(site, id_) == other
    await photo.get_by_text("Why?").click()
    await expect(given).to_have_count(other)
    await page.keyboard.press("Control+z")
    await expect(given).to_have_count(before)


async def rating_of(site: Site, photo_id: int) -> int:
    async with site.session() as session:
        photo = await session.get(Photo, photo_id)
    assert photo is not None
    return photo.user_rating or 0


async def test_the_panel_says_why_and_opens_what_pulled(served: str, browser: Browser, person: Connoisseur) -> None:
    photos = await person.photos(40)
    await person.rate(photos[:30])
    await person.train()
    await person.settle()
    page = await browser.open(f"{served}/gallery?photo={photos[-1]}")
    panel = page.get_by_role("complementary", name="About this photo")
    await panel.get_by_text("Why this taste score?").click()
    pull = panel.locator(".pull").last
    await pull.locator(".stars .on").first.wait_for()
    await pull.get_by_role("link").focus()
    await page.keyboard.press("1")
    await expect(pull.locator(".stars .on")).to_have_count(1)
    name = await pull.get_by_role("link").get_attribute("title") or ""
    await expect(page.locator(".toast p")).to_contain_text(name)
    await page.keyboard.press("Enter")
    await expect(panel.get_by_role("heading", name=name)).to_be_visible()
    await expect(panel.locator(".decision-bar .stars .on")).to_have_count(1)
    await expect(panel.locator(".pull")).to_have_count(0)
