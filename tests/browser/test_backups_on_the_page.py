"""Backups on the settings page: made by a button, and what goes wrong is said."""

import pytest
from playwright.async_api import expect
from sqlalchemy import text

from tests.browser.browsers import Browser
from tests.photos import add_photos
from tests.site import Site


@pytest.mark.parametrize("width", [1280, 390])
async def test_a_backup_is_made_by_a_button(site: Site, served: str, browser: Browser, width: int) -> None:
    await add_photos(site, 2)
    async with site.services.sessions.begin() as session:
        await session.execute(text("UPDATE backup_state SET problem = 'There is no room for a backup.'"))
    page = await browser.open(f"{served}/settings", width=width)
    section = page.locator("#backups")
    await expect(section).to_contain_text("There is no backup yet.")
    await expect(section.get_by_role("alert")).to_have_text("There is no room for a backup.")
    await section.get_by_role("button", name="Back up now").click()
    await expect(page.locator(".toast")).to_contain_text("The backup is written.")
    await expect(section).to_contain_text("The last backup was made just now: 2 photos")
    await expect(section.get_by_role("alert")).to_have_count(0)
    await section.get_by_text("1 backup", exact=True).click()
    await expect(section.get_by_role("listitem")).to_contain_text("asked for: 2 photos")
