"""Descriptions in a real browser: on a photo's panel, and the yes that sending photos away waits for."""

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from orchestrator import events
from orchestrator.curation import again, service
from shared.settings import Settings
from tests import factories
from tests.browser.browsers import Browser
from tests.doubles.vision_host import MARKUP
from tests.site import Site, open_site, serve


async def test_a_description_is_text_whatever_a_model_says(site: Site, served: str, browser: Browser) -> None:
    async with site.session() as session:
        photo = await factories.a_photo(
            session,
            await factories.a_root(session),
            subject=f"A cat {MARKUP}",
            artistic_mood=MARKUP,
            lighting_critique="Soft window light from the left.",
            content_type="still_life",
            suggested_tags=["cat", MARKUP],
            described_by="llava",
            prompt_version=1,
        )
        await factories.a_picture(session, site.claims, photo, factories.a_gradient())
        await factories.a_run(session, photo, "curate")
        await session.commit()
    page = await browser.open(f"{served}/gallery")
    await page.locator(".card").first.focus()
    await page.keyboard.press("i")
    panel = page.get_by_role("complementary", name="About this photo")
    await expect(panel.locator(".subject")).to_have_text(f"A cat {MARKUP}")
    await expect(panel.get_by_role("list", name="Tags").get_by_role("listitem")).to_have_text(["cat", MARKUP])
    await expect(panel.get_by_text("Described by llava")).to_be_visible()
    await expect(panel.get_by_text("still life")).to_be_visible()
    await expect(panel.get_by_role("img", name=f"A cat {MARKUP}")).to_be_visible()
    assert await page.locator("img[src='x']").count() == 0
    await panel.get_by_role("button", name="Describe again").click()
    await expect(panel.get_by_text(re.compile("Will be described next|On its way"))).to_be_visible()
    async with site.session() as session:
        await factories.tell(session, events.PHOTOS, photo.id)
    await expect(panel.get_by_text("On its way.")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
async def test_sending_photos_away_waits_for_one_yes(
    database_url: str, tmp_path: Path, browser: Browser, width: int
) -> None:
    settings = Settings(keepers_home=tmp_path, database_url=database_url, llm_base_url="https://api.x.com/v1/")
    async with open_site(settings) as site, serve(site) as address:
        async with site.services.sessions.begin() as session:
            root = await factories.a_root(session)
            for number in range(3):
                await factories.a_photo(session, root, f"{number}.jpg")
            await service.prepare(session, settings)
            await again.begin(session, settings, None)
        page = await browser.open(address, width=width)
        notice = page.get_by_role("region", name="Descriptions")
        await expect(notice).to_contain_text("photos are sent to api.x.com: one call for each, 3 calls now")
        await notice.get_by_role("button", name="Yes, send photos to api.x.com").click()
        await expect(notice).to_contain_text("Photos are sent to api.x.com, to be described by llava: 3 calls to go.")
        await expect(notice.get_by_role("button")).to_have_count(0)
        await page.goto(f"{address}/settings")
        section = page.get_by_role("region", name="Descriptions")
        await expect(section).to_contain_text("Photos are sent to api.x.com, to be described by llava.")
        await section.get_by_role("button", name="Send no more photos to api.x.com").click()
        await expect(section).to_contain_text("Nothing is sent before you say yes.")
        await expect(section.get_by_role("button", name="Yes, send photos to api.x.com")).to_be_visible()
