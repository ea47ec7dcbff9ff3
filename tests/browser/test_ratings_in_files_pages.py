"""Ratings in files as the person sees them: said on the import row, and settled on a page of their own."""

from playwright.async_api import expect

from tests.archive import Archive
from tests.browser.browsers import Browser, follow
from tests.ratings_in_files import a_photo, a_sidecar, said
from tests.site import serve


async def test_differing_ratings_are_named_on_the_import_and_settled_by_buttons(
    archive: Archive, browser: Browser
) -> None:
    for number in range(3):
        a_photo(archive, f"IMG_{number}.jpg", number)
    (archive.photos / "IMG_2.xmp").write_bytes(b"<x:xmpmeta")
    await archive.imported()
    ids = [row["id"] for row in await archive.sql("SELECT id FROM photos ORDER BY file_name")]
    await archive.site.client.post("/api/decisions", json={"ids": ids, "user_rating": 2})
    a_sidecar(archive, "IMG_0.xmp", 5)
    a_sidecar(archive, "IMG_1.xmp", -1)
    async with serve(archive.site) as address:
        page = await browser.open(address)
        first = page.locator(".import").first
        await expect(first).to_contain_text(
            "0 of 3 files carry ratings: in Lightroom, Metadata > Save Metadata to Files"
        )
        await expect(first).to_contain_text("1 sidecar could not be read. IMG_2.xmp: It is no whole XMP file")
        await archive.imported()
        await page.reload()
        await expect(first).to_contain_text("2 of 3 files carry ratings")
        await follow(page, page.get_by_role("link", name="2 photos carry another rating in their files").first)
        await expect(page.get_by_role("heading", name="Ratings that differ")).to_be_visible()
        kept, taken = page.get_by_role("group", name="IMG_0.jpg"), page.get_by_role("group", name="IMG_1.jpg")
        await kept.get_by_role("button", name="Keep mine").click()
        await taken.get_by_role("button", name="rejected").click()
        await expect(page.get_by_text("Yours stays.")).to_be_visible()
        await expect(page.get_by_text("Taken from the file.")).to_be_visible()
        assert await said(archive) == {"IMG_0.jpg": 2, "IMG_1.jpg": -1, "IMG_2.jpg": 2}
        await page.get_by_role("button", name="Undo").click()
        await expect(page.get_by_text("Taken back")).to_be_visible()
        assert (await said(archive))["IMG_1.jpg"] == 2
        await page.reload()
        await expect(page.get_by_text("No differences")).to_be_visible()
