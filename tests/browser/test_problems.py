"""Both tabs of Problems, and pausing a stage, in a real browser."""

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import text

from orchestrator import events
from orchestrator.models import Root
from tests import factories
from tests.browser.browsers import Browser
from tests.site import Site

LOOKS = pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])


async def failed_photos(site: Site, root: Root, count: int, error_type: str, message: str) -> None:
    async with site.session() as session:
        for n in range(count):
            photo = await factories.a_photo(session, root, f"{error_type}-{n}.CR2")
            await factories.a_picture(session, site.claims, photo, factories.a_gradient(hue=n * 40))
            run = await factories.a_run(session, photo, state="failed")
            known = {"run_id": run.run_id, "error_type": error_type, "message": message}
            failure = await factories.a_failure(session, photo, final=True, **known)
            await factories.a_dead_letter(session, photo, **known)
        await factories.tell(session, events.FAILURES, failure.id)


async def a_root(site: Site) -> Root:
    async with site.session() as session:
        root = await factories.a_root(session)
        await session.commit()
    return root


async def runs(site: Site, state: str) -> int:
    async with site.session() as session:
        found = await session.execute(text("SELECT count(*) FROM stage_runs WHERE state = :state"), {"state": state})
        return int(found.scalar_one())


async def is_as_wide_as_its_screen(page: Page) -> bool:
    return bool(await page.evaluate("document.documentElement.scrollWidth === document.documentElement.clientWidth"))


@LOOKS
async def test_a_cause_is_retried_and_another_discarded_and_brought_back(
    site: Site, served: str, browser: Browser, width: int, theme: str
) -> None:
    root = await a_root(site)
    await failed_photos(site, root, 3, "CorruptFile", "It ends in the middle.")
    await failed_photos(site, root, 2, "TooLarge", "It has 312 megapixels.")
    page = await browser.open(f"{served}/logs", width=width, theme=theme)
    first, second = page.locator(".cause-card").nth(0), page.locator(".cause-card").nth(1)
    await expect(page.get_by_role("heading", name="5 to look at, 2 causes")).to_be_visible()
    await expect(first).to_contain_text("Look for a copy of these files")
    await expect(first.get_by_role("link", name="Photo CorruptFile-2.CR2")).to_be_visible()

    await first.get_by_role("button", name="Retry all: corrupt file").click()
    await expect(first.get_by_role("status")).to_contain_text("3 photos put back.")
    assert (await runs(site, "queued"), await runs(site, "failed")) == (3, 2)
    await expect(page.get_by_role("link", name="Problems 2")).to_be_visible()

    await second.get_by_role("button", name="Discard all: too large").click()
    await expect(second.get_by_role("status")).to_contain_text("2 photos discarded.")
    await expect(page.get_by_role("link", name="Problems", exact=True)).to_be_visible()
    await second.get_by_role("button", name="Undo").click()
    await expect(second.get_by_role("button", name="Retry all: too large")).to_be_visible()
    await expect(page.get_by_role("link", name="Problems 2")).to_be_visible()
    assert await is_as_wide_as_its_screen(page)


@LOOKS
async def test_a_new_cause_arrives_below_what_is_being_read(
    site: Site, served: str, browser: Browser, width: int, theme: str
) -> None:
    root = await a_root(site)
    await failed_photos(site, root, 1, "CorruptFile", "It ends in the middle.")
    page = await browser.open(f"{served}/dead-letters", width=width, theme=theme)
    await expect(page.get_by_role("button", name="Retry it: corrupt file")).to_be_visible()
    await failed_photos(site, root, 2, "TooLarge", "It has 312 megapixels.")
    await expect(page.locator(".cause-card")).to_have_count(2)
    await expect(page.locator(".cause-card").nth(1)).to_contain_text("It has 312 megapixels.")
    await expect(page.locator("#rows .failure")).to_have_count(3)
    await page.get_by_label("Kind").select_option("TooLarge")
    await expect(page.locator("#rows .failure")).to_have_count(2)
    assert page.url.endswith("/dead-letters?error_type=TooLarge")


async def test_one_message_is_read_discarded_brought_back_and_retried(
    site: Site, served: str, browser: Browser
) -> None:
    await failed_photos(site, await a_root(site), 1, "CorruptFile", "It ends in the middle.")
    page = await browser.open(f"{served}/dead-letters")
    letter = page.locator(".letter")
    await letter.get_by_text("Message and history").click()
    await expect(letter.get_by_text("Attempt 1 of 5: It ends in the middle.")).to_be_visible()
    await expect(letter.get_by_text('"file_path"')).to_be_visible()
    await letter.get_by_role("button", name="Discard CorruptFile-0.CR2").click()
    await expect(letter.get_by_role("status")).to_have_text("✕ discarded")
    await page.get_by_label("State").select_option("discarded")
    await page.get_by_role("button", name="Reopen CorruptFile-0.CR2").click()
    await expect(letter.get_by_role("status")).to_have_text("! open")
    await letter.get_by_role("button", name="Retry").click()
    await expect(letter.get_by_role("status")).to_have_text("↻ put back")
    assert await runs(site, "queued") == 1


@LOOKS
async def test_a_stage_is_paused_in_the_pipeline_and_resumed_on_the_page(
    site: Site, served: str, browser: Browser, width: int, theme: str
) -> None:
    page = await browser.open(f"{served}/logs", width=width, theme=theme)
    await page.get_by_role("button", name="Pipeline").click()
    await page.get_by_role("button", name="Pause Similarity").click()
    await expect(page.get_by_role("button", name="Resume Similarity").first).to_be_focused()
    await expect(page.locator("#pipeline-button .segment[data-health=paused]")).to_have_count(1)
    await page.keyboard.press("Escape")
    waiting = page.locator(".waiting")
    await expect(waiting.get_by_text("Paused. What waits goes on when you resume it.")).to_be_visible()
    await waiting.get_by_role("button", name="Resume Similarity").click()
    await expect(waiting.get_by_text("Paused.")).to_have_count(0)
    await expect(page.locator("#pipeline-button .segment[data-health=paused]")).to_have_count(0)
    assert await is_as_wide_as_its_screen(page)
