"""The export page in a real browser."""

import asyncio
from pathlib import Path

from playwright.async_api import Page, Route, expect

from tests.browser.browsers import Browser
from tests.exporting import Desk
from tests.site import Site


async def test_approved_photos_are_rehearsed_exported_and_grouped_by_what_speaks_for_them(
    site: Site, served: str, browser: Browser, tmp_path: Path
) -> None:
    desk = Desk(site, tmp_path)
    await desk.sql("UPDATE taste_state SET is_trusted = true")
    await desk.photo("a.jpg", user_rating=5)
    await desk.photo("b.jpg", user_rating=1, preference_score=90)
    await desk.photo("c.jpg", user_rating=4, preview=None)
    page = await browser.open(f"{served}/export")
    await expect(page.get_by_role("heading", name="Four and five stars 2 photos")).to_be_visible()
    await expect(page.get_by_text("1 photo with one or two stars: you and the score disagree")).to_be_visible()
    target = page.get_by_label("Into the folder")
    await target.fill(str(tmp_path / "not" / "there"))
    await target.press("Enter")
    await expect(page.get_by_text(f"There is no folder {tmp_path}/not: make it first")).to_be_visible()
    await target.fill(str(desk.target))
    await page.get_by_role("button", name="Dry run").click()
    await expect(page.get_by_text(f"2 photos would be exported to {desk.target}")).to_be_visible()
    assert not desk.target.exists()
    await page.get_by_role("button", name="Export 3 photos").click()
    await expect(page.get_by_text(f"2 photos exported to {desk.target}")).to_be_visible()
    await expect(page.get_by_text("c.jpg has no preview yet.")).to_be_visible()
    assert desk.files == ["a.jpg", "b.jpg", "photos.json"]
    await page.reload()
    await expect(target).to_have_value(str(desk.target))
    await expect(page.get_by_text(f"Last export, just now: 2 photos exported to {desk.target}")).to_be_visible()
    await _is_asked_again_and_stopped(page, desk)


async def _is_asked_again_and_stopped(page: Page, desk: Desk) -> None:
    seen = {**(await desk.export(dry_run=True)), "state": "running", "done": 1, "total": 2_000}
    answers = iter([503])

    async def answer(route: Route) -> None:
        if route.request.url.endswith("/stop"):
            seen.update({"state": "failed", "error": "The export was stopped."})
        status = next(answers, 200) if route.request.method == "GET" else 202
        trouble = {"error": {"type": "database_unavailable", "message": "The database does not answer."}}
        await route.fulfill(status=status, json=trouble if status == 503 else seen)

    await page.route("**/api/exports**", answer)
    await page.route("**/api/exports/**", answer)
    await page.get_by_role("button", name="Export 3 photos").click()
    await expect(page.get_by_text("The database does not answer. How far the export is shows")).to_be_visible()
    await expect(page.get_by_text("1 of 2,000 photos")).to_be_visible()
    await expect(page.get_by_text("The database does not answer.")).to_be_hidden()
    await page.get_by_role("button", name="Stop").click()
    await expect(page.get_by_text("The export was stopped.")).to_be_visible()
    await expect(page.get_by_role("button", name="Stop")).to_be_hidden()


async def test_what_is_typed_before_the_script_came_stays(
    site: Site, served: str, browser: Browser, tmp_path: Path
) -> None:
    desk = Desk(site, tmp_path)
    await desk.photo("a.jpg", user_rating=5)
    page = await browser.open(f"{served}/projects")
    may_come = asyncio.Event()

    async def late(route: Route) -> None:
        await may_come.wait()
        await route.continue_()

    await page.route("**/export*.js", late)
    await page.evaluate("localStorage.setItem('keepers-export-target', '/the/folder/of/last/time')")
    await page.locator("#main").get_by_role("link", name="Export").click()
    await page.get_by_label("Into the folder").fill(str(desk.target))
    await expect(page.get_by_role("button", name="Export 1 photo")).to_be_disabled()
    may_come.set()
    await page.get_by_role("button", name="Export 1 photo").click()
    await expect(page.get_by_text(f"1 photo exported to {desk.target}")).to_be_visible()
