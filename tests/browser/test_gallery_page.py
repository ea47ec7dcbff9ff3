"""The gallery in a real browser: it fills while photos arrive, moves by keyboard, and stays small in the document."""

import re

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import text

from orchestrator import events
from tests import factories
from tests.browser.browsers import Browser
from tests.photos import add_photos
from tests.site import Site


async def names(page: Page) -> list[str]:
    return await page.locator(".card .name").all_text_contents()


async def scroll_until(page: Page, condition: str) -> None:
    """Go down, a window at a time and past nothing that is being loaded, until the condition holds; notes the most
    cards there ever were."""
    count = "window.mostCards = Math.max(window.mostCards ?? 0, document.querySelectorAll('.card').length)"
    go_on = "document.querySelector('.row.waiting') || scrollBy(0, innerHeight)"
    await page.wait_for_function(f"() => {condition} || void ({go_on}, {count})", polling=50)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_photos_appear_in_two_tabs_as_they_are_finished(
    site: Site, served: str, browser: Browser, width: int, theme: str
) -> None:
    one = await browser.open(f"{served}/gallery", width=width, theme=theme)
    other = await one.context.new_page()
    await other.goto(f"{served}/gallery")
    for page in (one, other):
        await expect(page.get_by_text("No photos yet")).to_be_visible()
    await add_photos(site, 7)
    for page in (one, other):
        await expect(page.locator(".card")).to_have_count(7)
        await expect(page.locator("#summary")).to_have_text("7 photos")
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await one.evaluate(overflow) == 0


async def test_rows_fill_the_width_and_keep_shapes(site: Site, served: str, browser: Browser) -> None:
    await add_photos(site, 20)
    page = await browser.open(f"{served}/gallery")
    await expect(page.locator(".card img").first).to_be_visible()
    rows = await page.evaluate(
        """() => [...document.querySelectorAll(".row")].slice(0, 3).map((row) => ({
          left: row.querySelector(".card").getBoundingClientRect().left - row.getBoundingClientRect().left,
          right: row.getBoundingClientRect().right - row.lastElementChild.getBoundingClientRect().right,
          shapes: [...row.querySelectorAll("img")].map((image) => Math.abs(
            image.width / image.height - image.naturalWidth / image.naturalHeight)),
        }))"""
    )
    for row in rows:
        assert abs(row["left"]) < 1
        assert abs(row["right"]) < 1
        assert max(row["shapes"]) < 0.05


async def test_new_photos_wait_behind_a_pill_while_the_reader_is_further_down(
    site: Site, served: str, browser: Browser
) -> None:
    await add_photos(site, 60)
    page = await browser.open(f"{served}/gallery")
    await page.mouse.wheel(0, 1500)
    await page.wait_for_function("scrollY > 1000")
    seen = page.locator(".card").nth(8)
    label = await seen.get_attribute("aria-label")
    before = await page.get_by_role("gridcell", name=label or "").first.bounding_box()
    await add_photos(site, 3)
    await expect(page.get_by_role("button", name="3 new")).to_be_visible()
    assert await page.get_by_role("gridcell", name=label or "").first.bounding_box() == before
    await page.get_by_role("button", name="3 new").click()
    await page.wait_for_function("scrollY === 0")
    assert (await names(page))[:3] == ["DSC_0002.jpg", "DSC_0001.jpg", "DSC_0000.jpg"]


async def test_a_long_list_keeps_few_cards_and_loads_as_one_goes(site: Site, served: str, browser: Browser) -> None:
    await add_photos(site, 700, with_pictures=False)
    page = await browser.open(f"{served}/gallery")
    await scroll_until(page, "document.querySelector('[aria-label^=\"DSC_0000.jpg\"]')")
    assert await page.evaluate("window.mostCards") < 120


async def test_the_keyboard_moves_through_photos_and_opens_the_details(
    site: Site, served: str, browser: Browser
) -> None:
    photos = await add_photos(site, 30)
    async with site.session() as session:
        await factories.a_run(session, photos[-2], "embed", state="failed", error="The model is not there.")
        await factories.a_file(session, photos[-2], b"2024/a <b> folder/DSC_0028.jpg")
        await session.commit()
    page = await browser.open(f"{served}/gallery")
    focused = page.locator(".card:focus")
    await expect(page.locator(".card").first).to_be_visible()
    await page.keyboard.press("ArrowRight")  # the first key finds the photos
    await expect(focused).to_have_attribute("data-id", str(photos[-1].id))
    await page.keyboard.press("ArrowRight")
    await expect(focused).to_have_attribute("data-id", str(photos[-2].id))
    await page.keyboard.press("Enter")
    details = page.get_by_role("complementary", name="About this photo")
    await expect(details.get_by_text("The model is not there.")).to_be_visible()
    await expect(details.get_by_text("/photos/30/2024/a <b> folder/DSC_0028.jpg")).to_be_visible()
    assert page.url.endswith(f"photo={photos[-2].id}")
    await page.keyboard.press("ArrowLeft")
    await expect(details.get_by_role("heading", name="DSC_0029.jpg")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(details).to_be_hidden()
    await expect(focused).to_have_attribute("data-id", str(photos[-1].id))
    await expect(page).to_have_url(f"{served}/gallery")
    await page.keyboard.press("i")
    await page.keyboard.press("ArrowRight")
    await expect(details.get_by_role("heading", name="DSC_0028.jpg")).to_be_visible()
    await page.go_back()  # as a phone does to close what covers the list
    await expect(details).to_be_hidden()
    await expect(page).to_have_url(f"{served}/gallery")
    await page.keyboard.press("End")
    await expect(focused).to_have_attribute("data-id", str(photos[0].id))
    await page.keyboard.press("Home")
    await expect(focused).to_have_attribute("data-id", str(photos[-1].id))


async def test_the_address_says_what_is_shown_and_back_works(site: Site, served: str, browser: Browser) -> None:
    photos = await add_photos(site, 3)
    async with site.session() as session:
        session.add(photos[0])
        photos[0].user_rating = 4
        await session.commit()
    page = await browser.open(f"{served}/gallery")
    await page.get_by_role("link", name="Unrated").click()
    await expect(page.locator(".card")).to_have_count(2)
    await page.get_by_label("Sort").select_option("captured")
    await expect(page.get_by_role("heading", name="Saturday")).to_be_visible()
    assert page.url.endswith("/gallery?filter=unrated&sort=captured")
    await page.reload()
    await expect(page.locator(".card")).to_have_count(2)
    await page.go_back()
    await page.go_back()
    await expect(page.locator(".card")).to_have_count(3)
    await expect(page.get_by_label("Sort")).to_have_value("newest")


async def test_a_reload_comes_back_to_where_one_was(site: Site, served: str, browser: Browser) -> None:
    photos = await add_photos(site, 400, with_pictures=False)
    page = await browser.open(f"{served}/gallery")
    target = page.locator(f'.card[data-id="{photos[150].id}"]')
    await scroll_until(page, f"document.querySelector('[data-id=\"{photos[150].id}\"]')")
    await target.scroll_into_view_if_needed()
    await expect(target).to_be_in_viewport()
    await page.reload()
    await expect(target).to_be_in_viewport()


async def test_a_link_to_a_photo_shows_it_in_the_list(site: Site, served: str, browser: Browser) -> None:
    photos = await add_photos(site, 300, with_pictures=False)
    page = await browser.open(f"{served}/gallery?photo={photos[20].id}")
    await expect(page.get_by_role("heading", name="DSC_0020.jpg")).to_be_visible()
    await expect(page.locator(".card:focus")).to_have_attribute("data-id", str(photos[20].id))


async def test_a_card_changes_when_a_stage_finishes(site: Site, served: str, browser: Browser) -> None:
    photo = (await add_photos(site, 2))[0]
    page = await browser.open(f"{served}/gallery")
    card = page.locator(f'.card[data-id="{photo.id}"]')
    await expect(card).to_be_visible()
    async with site.session() as session:
        session.add(photo)
        photo.damage = "The end of this file is missing."
        await factories.a_run(session, photo, "embed", state="failed")
        await factories.tell(session, events.PHOTOS, photo.id)
    await expect(card.get_by_text("Damaged")).to_be_visible()
    await expect(card.get_by_text("Similarity failed")).to_be_visible()


async def test_a_finished_rescore_shows_on_the_cards_and_in_the_panel(
    site: Site, served: str, browser: Browser
) -> None:
    photos = await add_photos(site, 60)
    page = await browser.open(f"{served}/gallery?photo={photos[-1].id}")
    card = page.locator(f'.card[data-id="{photos[-1].id}"]')
    await expect(card).to_be_focused()
    before = await card.bounding_box()
    await scroll_until(page, f"document.querySelector('[data-id=\"{photos[0].id}\"]')")
    await page.evaluate("scrollTo(0, 0)")
    async with site.session() as session:  # no photo is named, as after a whole archive was scored
        await session.execute(text("UPDATE taste_state SET is_trusted = true"))
        await session.execute(text("UPDATE photos SET preference_score = 91, score_activation = 1"))
        await factories.tell(session, events.TASTE, 1)
    await expect(card.get_by_text("MATCH")).to_be_visible()
    await expect(card).to_have_attribute("aria-label", re.compile("match, taste 91"))
    await expect(card).to_be_focused()
    assert await card.bounding_box() == before
    await expect(page.locator('[data-part="scores"]')).to_contain_text("Taste91")
    await page.keyboard.press("End")  # seen before, and not on screen when the scores changed
    await expect(page.locator(f'.card[data-id="{photos[0].id}"]').get_by_text("MATCH")).to_be_visible()


async def test_what_is_said_below_a_slim_photo_does_not_widen_the_page_of_a_phone(
    site: Site, served: str, browser: Browser
) -> None:
    async with site.session() as session:
        root = await factories.a_root(session)
        said = {"user_rating": 5, "manual_match": True, "damage": "cut off", "preference_score": 88}
        for n in range(12):
            slim = {"preview": f"{n}.jpg", "preview_width": 300, "preview_height": 900}
            await factories.a_photo(session, root, f"DSC_{n:04}.jpg", **slim, **said)
        await session.commit()
    page = await browser.open(f"{served}/gallery", width=390)
    await expect(page.locator(".card .badge").first).to_be_visible()
    assert await page.evaluate("[innerWidth, document.documentElement.scrollWidth]") == [390, 390]


async def test_a_file_name_is_shown_as_it_is(site: Site, served: str, browser: Browser) -> None:
    async with site.session() as session:
        root = await factories.a_root(session)
        await factories.a_photo(session, root, "<img src=x onerror=document.title='hit'>.jpg")
        await session.commit()
    page = await browser.open(f"{served}/gallery")
    await expect(page.locator(".card .name")).to_have_text("<img src=x onerror=document.title='hit'>.jpg")
    assert await page.title() == "Gallery · Keepers"
