"""The page that sets rejected originals aside and brings them back."""

from playwright.async_api import expect

from tests.archive import Archive
from tests.browser.browsers import Browser
from tests.pictures import saved, scene
from tests.rejected import Drive, written
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
    await page.get_by_role("link", name="Free space").click()
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
