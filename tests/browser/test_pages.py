"""Import, problems and the frame in a real browser."""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import Route, expect

from orchestrator import events
from tests import factories
from tests.browser.browsers import EVERY_PAGE, Browser
from tests.photos import some_photos
from tests.site import Site, serve


@pytest.mark.parametrize("width", [1280, 390])
async def test_no_page_is_wider_than_the_screen_or_complains(
    site: Site, served: str, browser: Browser, width: int
) -> None:
    async with site.session() as session:
        photo = await factories.a_photo(session, await factories.a_root(session), "a" * 200 + ".jpg")
        await factories.a_failure(session, photo, message="A sentence without end " * 40, error_type="E" * 80)
        await factories.a_dead_letter(session, photo, body=b"x" * 3_000)
        await session.commit()
    page = await browser.open(served, width=width)
    for address in EVERY_PAGE:
        await page.goto(f"{served}{address}")
        await expect(page.get_by_role("navigation").get_by_role("link", name="Gallery", exact=True)).to_be_visible()
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await page.evaluate(overflow) == 0, address


@pytest.mark.parametrize("width", [1280, 390])
async def test_an_import_is_started_from_the_folder_browser(
    site: Site, served: str, browser: Browser, tmp_path: Path, width: int
) -> None:
    inside = tmp_path / "library" / "2024 <b>Iceland"
    inside.mkdir(parents=True)
    for name in ("a.jpg", "b.jpg", "clip.mov"):
        (inside / name).write_bytes(name.encode())
    page = await browser.open(served, width=width)
    await expect(page.get_by_role("heading", name="Find the keepers in your archive")).to_be_visible()
    folder = page.get_by_label("Folder", exact=True)
    await folder.fill(str(tmp_path / "library"))
    await folder.press("Enter")
    await page.get_by_role("button", name="2024 <b>Iceland 2 photos").click()
    await expect(folder).to_have_value(str(inside))
    await page.get_by_role("button", name="Import this folder").click()
    row = page.locator("#imports .import")
    await expect(row.get_by_role("heading", name="2024 <b>Iceland")).to_be_visible()
    await expect(row.get_by_text("0 of 2 photos")).to_be_visible()
    await expect(row.get_by_text("1 left alone: 1 mov")).to_be_visible()
    await row.get_by_role("button", name="Pause").click()
    await expect(row.get_by_role("button", name="Resume")).to_be_visible()
    await row.get_by_role("button", name="Cancel").click()
    await expect(row.locator(".state")).to_contain_text("cancelled")


async def test_an_answer_that_comes_late_leaves_what_is_being_typed(
    served: str, browser: Browser, tmp_path: Path
) -> None:
    first_answer = asyncio.Event()

    async def hold_back(route: Route) -> None:
        await first_answer.wait()
        await route.continue_()

    page = await browser.open("about:blank")
    await page.route("**/api/folders?claim=*", hold_back)
    await page.goto(served)
    folder = page.get_by_label("Folder", exact=True)
    await folder.fill(str(tmp_path))
    first_answer.set()
    await expect(page.get_by_role("button", name="Import this folder")).to_be_enabled()
    await expect(folder).to_have_value(str(tmp_path))
    await folder.press("Enter")
    await expect(page.locator("#folder-summary")).to_contain_text("No photos here")
    await expect(folder).to_have_value(str(tmp_path))


async def test_a_refused_folder_says_why_and_cannot_be_imported(served: str, browser: Browser) -> None:
    page = await browser.open(served)
    folder = page.get_by_label("Folder", exact=True)
    await folder.fill("/proc")
    await folder.press("Enter")
    await expect(page.get_by_text("/proc belongs to the system, not to your photos.")).to_be_visible()
    await expect(page.get_by_role("button", name="Import this folder")).to_be_disabled()


async def test_an_import_shows_its_photos_as_they_land(site: Site, served: str, browser: Browser) -> None:
    async with site.session() as session:
        root = await factories.a_root(session)
        import_ = await factories.an_import(session, root, "/photos/Iceland", state="running", scanned=True)
        for n in range(4):
            await factories.an_item(session, import_, None, b"%d" % n)
        await session.commit()
    page = await browser.open(served)
    row = page.locator("#imports .import")
    await expect(row.get_by_text("0 of 4 photos")).to_be_visible()
    async with site.session() as session:
        photo = await factories.a_photo(session, root)
        await factories.a_picture(session, site.claims, photo, factories.a_gradient())
        await factories.an_item(session, import_, photo, b"4", state="done")
        await factories.tell(session, events.IMPORTS, import_.id)
    await expect(row.get_by_text("1 of 5 photos")).to_be_visible()
    await expect(row.locator(".strip img")).to_have_count(1)


async def test_a_failure_appears_on_the_open_page(site: Site, served: str, browser: Browser) -> None:
    page = await browser.open(f"{served}/logs")
    await expect(page.get_by_text("Nothing went wrong")).to_be_visible()
    async with site.session() as session:
        failure = await factories.a_failure(session, None, message="IMG_1.CR2 is broken.", stage="embed")
        await factories.tell(session, events.FAILURES, failure.id)
    await expect(page.get_by_text("IMG_1.CR2 is broken.")).to_be_visible()
    await page.get_by_label("Stage").select_option("convert")
    await expect(page.get_by_text("IMG_1.CR2 is broken.")).to_be_hidden()
    assert page.url.endswith("/logs?stage=convert")


async def test_the_number_of_problems_and_the_pipeline_are_on_every_page(
    site: Site, served: str, browser: Browser
) -> None:
    page = await browser.open(served)
    async with site.session() as session:
        photo = await factories.a_photo(session, await factories.a_root(session))
        run = await factories.a_run(session, photo, state="failed")
        await factories.a_dead_letter(session, photo, run_id=run.run_id)
        await factories.a_run(session, photo, "embed", state="queued")
        await factories.tell(session, events.STAGES)
    await expect(page.get_by_role("link", name="Problems 1")).to_be_visible()
    await page.get_by_role(
        "button", name=re.compile("^Pipeline: Previews idle;.* Similarity working, 1 waiting")
    ).click()
    await expect(page.get_by_text("1 failed")).to_be_visible()


async def test_a_page_says_when_the_server_is_gone_and_catches_up_when_it_is_back(site: Site, browser: Browser) -> None:
    async with serve(site) as address:
        page = await browser.open(f"{address}/gallery")
        await expect(page.get_by_text("No photos yet")).to_be_visible()
    await expect(page.get_by_text("Keepers is not answering.", exact=False)).to_be_visible()
    async with site.session() as session:
        photo = await factories.a_photo(session, await factories.a_root(session))
        await factories.tell(session, events.PHOTOS, photo.id)
    async with serve(site, port=int(address.rpartition(":")[2])):
        await expect(page.locator(".card")).to_have_count(1)
        await expect(page.get_by_text("Keepers is not answering.", exact=False)).to_be_hidden()


async def test_the_theme_can_be_switched_and_is_remembered(served: str, browser: Browser) -> None:
    page = await browser.open(f"{served}/gallery", theme="light")
    await page.get_by_role("button", name="Appearance: system").click()
    await page.get_by_role("button", name="Appearance: light").click()
    await page.reload()
    await expect(page.get_by_role("button", name="Appearance: dark")).to_be_visible()
    assert await page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(30, 30, 30)"


async def test_the_pipeline_says_which_model_is_in_force_and_offers_clip(
    site: Site, served: str, browser: Browser
) -> None:
    page = await browser.open(served)
    await page.get_by_role("button", name="Pipeline").click()
    panel = page.locator("#clip")
    await expect(panel.get_by_text("Similarity is computed by a small starter model. CLIP sees more")).to_be_visible()
    await panel.get_by_role("button", name="Fetch CLIP").click()
    await expect(panel.get_by_text("CLIP could not be fetched")).to_be_visible()
    await expect(panel.get_by_role("button", name="Go on fetching CLIP")).to_be_visible()


async def test_the_pipeline_shows_what_is_filled_in_pauses_it_and_ends_it(
    site: Site, served: str, browser: Browser
) -> None:
    await some_photos(site, {}, {})
    await site.client.post("/api/backfills", json={"kind": "quality"})  # of photos that lack none: done at once
    await site.client.post("/api/backfills", json={"kind": "quality", "where": ["all"]})
    page = await browser.open(served)
    await page.get_by_role("button", name="Pipeline").click()
    panel = page.locator("#backfills")
    await expect(panel.get_by_text("0 of 2 photos")).to_be_visible()
    await panel.get_by_role("button", name="Pause filling in: Technical scores").click()
    await expect(panel.get_by_text("0 of 2 photos · paused")).to_be_visible()
    await panel.get_by_role("button", name="Cancel filling in: Technical scores").click()
    await expect(panel).to_be_hidden()
