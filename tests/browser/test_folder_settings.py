"""The switches of folders on the settings page, and what the import page says of watched ones."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect

from orchestrator import events
from orchestrator.models import Root
from tests import factories
from tests.browser.browsers import Browser
from tests.site import Site

WATCHED_SWITCH = """() => setInterval(() => {
  if (!document.querySelector("#folder-rows .sidecars").checked) window.wasOff = true;
}, 10)"""


@pytest.fixture
async def root(site: Site, tmp_path: Path) -> Root:
    """A root that is there, with a decided photo in it."""
    folder = tmp_path / "Iceland 2026"
    folder.mkdir()
    (folder / "a.nef").write_bytes(b"")
    async with site.services.sessions.begin() as session:
        root = await factories.a_root(session, str(folder))
        photo = await factories.a_photo(session, root, "a.nef", user_rating=4)
        await factories.a_file(session, photo, b"a.nef")
    return root


async def opened(browser: Browser, served: str, width: int = 1280) -> Page:
    return await browser.open(f"{served}/settings", width=width)


async def test_a_folder_is_watched_and_the_import_page_says_so(browser: Browser, served: str, root: Root) -> None:
    page = await opened(browser, served)
    await page.get_by_label("Import new photos as they come: Iceland 2026").check()
    await expect(page.locator(".watch-said")).to_have_text("Looking through it. Nothing new yet.")
    await page.get_by_label("Only look now and then: Iceland 2026").check()
    await page.reload()
    await expect(page.get_by_label("Only look now and then: Iceland 2026")).to_be_checked()
    await page.goto(served)
    await expect(page.locator("#watched li")).to_contain_text(root.label)


async def test_sidecars_are_switched_on_and_the_page_says_what_waits_and_why(
    browser: Browser, served: str, site: Site, root: Root
) -> None:
    page = await opened(browser, served, width=390)
    await page.get_by_label("Write ratings, picks and tags into XMP sidecars: Iceland 2026").check()
    await expect(page.locator(".sidecars-said")).to_have_text("1 photo to be written.")
    await expect(page.get_by_text("proprietary RAW files only")).to_be_visible()
    async with site.services.sessions.begin() as session:
        (await session.get_one(Root, root.id)).sidecar_problem = "Iceland 2026 can only be read."
        await events.record(session, events.IMPORTS, [])
    await expect(page.locator(".sidecars-problem")).to_have_text("Iceland 2026 can only be read.")


async def test_a_switch_stays_where_it_was_put_when_an_older_answer_comes_late(
    browser: Browser, served: str, site: Site, root: Root
) -> None:
    page = await opened(browser, served)
    asked, was_switched = asyncio.Event(), asyncio.Event()

    async def late(route: Route) -> None:
        answer = await route.fetch()
        asked.set()
        await was_switched.wait()
        await route.fulfill(response=answer)

    await page.route("**/api/roots/settings", late, times=1)
    async with site.services.sessions.begin() as session:
        await events.record(session, events.IMPORTS, [])
    await asked.wait()
    switch = page.get_by_label("Write ratings, picks and tags into XMP sidecars: Iceland 2026")
    await switch.check()
    await expect(page.get_by_role("status").filter(has_text="is written into sidecars")).to_have_count(1)
    await page.evaluate(WATCHED_SWITCH)
    async with page.expect_request("**/api/roots/settings"):  # the next one, once the late answer was dealt with
        was_switched.set()
    assert not await page.evaluate("window.wasOff")


async def test_what_cannot_be_switched_on_says_why_and_stays_off(
    browser: Browser, served: str, root: Root, tmp_path: Path
) -> None:
    page = await opened(browser, served)
    (tmp_path / "Iceland 2026").rename(tmp_path / "gone")
    switch = page.get_by_label("Write ratings, picks and tags into XMP sidecars: Iceland 2026")
    await switch.click()
    await expect(page.get_by_role("status").filter(has_text="is not connected")).to_have_count(1)
    await expect(switch).not_to_be_checked()


async def test_a_bucket_is_offered_no_switch_that_it_cannot_have(browser: Browser, served: str, site: Site) -> None:
    async with site.services.sessions.begin() as session:
        await factories.a_root(session, "s3://archive/raw", state="offline")
    page = await opened(browser, served)
    await expect(page.get_by_text("does not answer")).to_be_visible()
    await expect(page.get_by_text("Keepers only reads in a bucket. Import it again for what is new.")).to_be_visible()
    await expect(page.locator("#folder-rows input:visible")).to_have_count(0)
    await page.goto(served)
    await page.locator("#watch").check()
    await page.get_by_label("Folder", exact=True).fill("s3://archive/raw/../private")
    await page.get_by_role("button", name="Open").click()
    await expect(page.get_by_role("alert").first).to_contain_text("is no address of a bucket")
    await expect(page.locator("#watch")).to_be_disabled()
    await page.get_by_label("Folder", exact=True).fill("/nowhere")
    await page.get_by_role("button", name="Open").click()
    await expect(page.get_by_role("alert").first).to_contain_text("There is no folder /nowhere.")
    await expect(page.locator("#watch")).to_be_enabled()
