"""The page that sets rejected originals aside and brings them back."""

import threading

from playwright.async_api import Route, expect

from tests.archive import Archive
from tests.browser.browsers import Browser, follow
from tests.pictures import saved, scene
from tests.rejected import Drive, FailingDisk, written
from tests.site import serve


async def test_originals_are_set_aside_once_their_number_is_typed_and_come_back(
    archive: Archive, browser: Browser
) -> None:
    async with serve(archive.site) as served:
        await _set_aside_and_brought_back(Drive(archive), served, browser)


async def _set_aside_and_brought_back(drive: Drive, served: str, browser: Browser) -> None:
    archive = drive.archive
    for n, name in enumerate(("a.jpg", "b.jpg", "c.jpg", "d.jpg")):
        written(archive.photos / "2019" / name, saved(scene(300, 200, n), "JPEG"))
    await archive.imported()
    await drive.reject("a.jpg", "b.jpg", "c.jpg")
    (archive.photos / "2019/c.jpg").write_bytes(b"changed meanwhile")
    page = await browser.open(f"{served}/settings")
    await follow(page, page.get_by_role("link", name="Free space"))
    await expect(page.get_by_role("heading", name="Free space")).to_be_visible()
    await page.get_by_role("button", name="Set rejected originals aside").press("Enter")
    typed = page.get_by_label("Type the number of photos")
    await expect(typed).to_be_focused()
    go = page.get_by_role("button", name="Set aside", exact=True)
    await typed.fill("2")
    await expect(go).to_be_disabled()
    await typed.press("Escape")
    await expect(page.get_by_role("button", name="Set rejected originals aside")).to_be_focused()
    await page.keyboard.press("Enter")
    await typed.fill("3")
    await typed.press("Enter")
    await expect(page.get_by_text("2 files set aside")).to_be_visible()
    await expect(page.get_by_text("2019/c.jpg stays: it was changed since Keepers read it.")).to_be_visible()
    await expect(page.locator(".aside-said")).to_contain_text("2 photos")
    assert drive.files == ["2019/c.jpg", "2019/d.jpg", "_keepers_rejected/2019/a.jpg", "_keepers_rejected/2019/b.jpg"]
    await page.goto(f"{served}/gallery?filter=rejected")
    card = page.locator(".card", has_text="a.jpg")
    await expect(card.get_by_text("Set aside")).to_be_visible()
    await card.click()
    await page.get_by_role("button", name="Restore").first.click()
    await expect(page.locator(".toast")).to_contain_text("Restored. Its original is set aside")
    await page.goto(f"{served}/free-space")
    await expect(page.get_by_text("1 photo whose original is set aside is not rejected any more.")).to_be_visible()
    await page.get_by_role("button", name="Bring back what was restored").click()
    await expect(page.get_by_text("1 file brought back")).to_be_visible()
    assert "2019/a.jpg" in drive.files
    await page.get_by_role("button", name="Bring all back").click()
    await expect(page.locator(".aside-said")).to_have_text("none")
    assert drive.files == ["2019/a.jpg", "2019/b.jpg", "2019/c.jpg", "2019/d.jpg"]


async def test_a_server_that_cannot_answer_for_a_while_is_told_and_followed_again(
    archive: Archive, browser: Browser
) -> None:
    drive, may_go_on = Drive(archive), threading.Event()
    for n, name in enumerate(("a.jpg", "b.jpg")):
        written(archive.photos / name, saved(scene(300, 200, n), "JPEG"))
    await archive.imported()
    await drive.reject("a.jpg", "b.jpg")
    drive.breaks(lambda root: FailingDisk(root, 1, lambda: may_go_on.wait(60)))
    wish = {"root": await drive.root_id(), "confirm_count": 2}
    assert (await drive.client.post("/api/rejects/move", json=wish)).status_code == 202
    async with serve(archive.site) as served:
        page = await browser.open(f"{served}/settings")
        await page.route("**/api/**", _unavailable)
        await follow(page, page.get_by_role("link", name="Free space"))
        await expect(page.locator(".refused")).to_have_text("The database does not answer.")
        await page.unroute("**/api/**")
        await expect(page.locator(".refused")).to_be_hidden()
        may_go_on.set()
        await expect(page.get_by_text("2 files set aside")).to_be_visible()
        await page.route("**/api/**", _unavailable)
        await page.get_by_role("button", name="Bring all back").click()
        await expect(page.locator(".refused")).to_have_text("The database does not answer.")
        await expect(page.get_by_role("button", name="Bring all back")).to_be_enabled()


async def _unavailable(route: Route) -> None:
    await route.fulfill(status=503, json={"error": {"type": "unavailable", "message": "The database does not answer."}})
