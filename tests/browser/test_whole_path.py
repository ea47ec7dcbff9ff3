"""From a folder to a gallery as a person does it, with the real services behind the pages."""

import asyncio

import pytest
from playwright.async_api import expect

from tests.browser.browsers import Browser
from tests.stack import Stack, a_jpeg

pytestmark = pytest.mark.timeout(240)
PHOTOS = 12


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_an_import_started_from_the_page_fills_the_gallery_in_two_tabs(
    stack: Stack, browser: Browser, theme: str
) -> None:
    for i in range(PHOTOS):
        a_jpeg(stack.photos / f"photo-{i:02}.jpg", seed=i, size=(640, 480))
    a_jpeg(stack.photos / "wait.jpg", seed=99)
    await asyncio.to_thread(stack.orchestrator)
    stack.workers("convert", "embed", package="tests.doubles.stages")
    address = f"http://127.0.0.1:{stack.port}"
    wide = await browser.open(f"{address}/gallery", theme=theme)
    phone = await browser.open(f"{address}/gallery", width=390, theme=theme)
    start = await browser.open(address, theme=theme)
    folder = start.get_by_label("Folder", exact=True)
    await folder.fill(str(stack.photos))
    await folder.press("Enter")
    await start.get_by_role("button", name="Import this folder").click()
    row = start.locator("#imports .import")
    await expect(row.get_by_text(f"{PHOTOS} of {PHOTOS + 1} photos")).to_be_visible(timeout=60_000)
    for tab in (wide, phone):  # it runs: one photo is held back
        await expect(tab.get_by_text("photo-00.jpg")).to_be_visible(timeout=20_000)
        await expect(tab.get_by_text("wait.jpg")).to_have_count(0)
    (stack.home / "go").touch()
    await expect(row.locator(".state")).to_contain_text("done", timeout=60_000)
    for tab in (wide, phone):
        await expect(tab.get_by_text("wait.jpg")).to_be_visible(timeout=20_000)
        await expect(tab.get_by_text(f"{PHOTOS + 1} photos")).to_be_visible(timeout=20_000)
