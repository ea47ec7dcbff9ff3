"""What an import left out because it was removed before, as the person sees it."""

from playwright.async_api import expect

from tests.archive import Archive
from tests.browser.browsers import Browser
from tests.ratings_in_files import a_photo
from tests.site import serve


async def test_removed_photos_are_named_on_the_import_and_come_back_by_a_button(
    archive: Archive, browser: Browser
) -> None:
    for number in range(2):
        a_photo(archive, f"IMG_{number}.jpg", number)
    await archive.imported()
    ids = [row["id"] for row in await archive.sql("SELECT id FROM photos")]
    await archive.site.client.post("/api/removals", json={"ids": ids})
    await archive.imported()
    async with serve(archive.site) as address:
        page = await browser.open(address)
        newest = page.locator(".import").first
        await expect(newest).to_contain_text("2 photos were removed from Keepers before: they stay out.")
        await newest.get_by_role("button", name="Import anyway").click()
        await expect(newest.get_by_role("button", name="Import anyway")).to_be_hidden()
        await expect(newest).to_contain_text("2 of 2 photos")
        assert await archive.sql("SELECT 1 FROM photos WHERE deleted_at IS NOT NULL") == []
