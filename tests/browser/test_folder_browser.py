"""Choosing a folder on the Import page while the server has trouble."""

import asyncio
from pathlib import Path

from playwright.async_api import Page, Route, expect

from tests.browser.browsers import Browser
from tests.pictures import saved, scene

TROUBLE = {"error": {"type": "database_unavailable", "message": "The database does not answer."}}


async def test_trouble_with_a_folder_passes_and_that_of_another_one_is_not_shown(
    served: str, browser: Browser, tmp_path: Path
) -> None:
    for path in ("here/a.jpg", "there/a.jpg", "there/b.jpg"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(saved(scene(), "JPEG"))
    page = await browser.open(served)
    start, refused = page.get_by_role("button", name="Import this folder"), page.locator("#folder-refused")
    await _fail_once(page)
    await _open(page, tmp_path / "here")
    await expect(refused).to_have_text("The database does not answer.")
    await expect(start).to_be_disabled()
    await expect(page.locator("#folder-summary")).to_have_text("1 photo here.")
    await expect(refused).to_be_hidden()
    await expect(start).to_be_enabled()

    may_answer = await _keep_waiting(page)
    await _open(page, tmp_path / "slow")
    await _open(page, tmp_path / "there")
    await expect(page.locator("#folder-summary")).to_have_text("2 photos here.")
    async with page.expect_response(lambda response: "slow" in response.url) as answered:
        may_answer.set()
    await (await answered.value).finished()
    await page.evaluate("fetch('/').then((answer) => answer.text())")  # behind that answer
    await expect(refused).to_be_hidden()
    await expect(start).to_be_enabled()


async def _open(page: Page, folder: Path) -> None:
    field = page.get_by_label("Folder", exact=True)
    await field.fill(str(folder))
    await field.press("Enter")


async def _fail_once(page: Page) -> None:
    await page.route("**/api/folders?*here*", lambda route: route.fulfill(status=503, json=TROUBLE), times=1)


async def _keep_waiting(page: Page) -> asyncio.Event:
    may_answer = asyncio.Event()

    async def late(route: Route) -> None:
        await may_answer.wait()
        await route.fulfill(status=503, json=TROUBLE)

    await page.route("**/api/folders?*slow*", late)
    return may_answer
