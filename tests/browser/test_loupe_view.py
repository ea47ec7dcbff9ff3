"""How the loupe shows photos: sharper pictures, zoom, overlays and photos beside each other."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from PIL import Image
from playwright.async_api import Page, Request, expect

from orchestrator import events
from orchestrator.models import Photo
from shared.contracts.render import Size
from tests import factories, pictures
from tests.browser.browsers import Browser
from tests.shoot import Shoot

FAR = 10_000  # seconds from one photo to the next: no burst
WIDTH, HEIGHT = 3000, 2000
STEP = "document.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', code: 'ArrowRight' }))"
SHOWN = "document.querySelector('#stage .loupe-photo').src"


@dataclass
class Darkroom:
    """Photos of a shoot with previews, and renditions that are made when a test says so."""

    shoot: Shoot
    image: Image.Image

    def __post_init__(self) -> None:
        self.preview = self.image.resize((1440, 960))

    async def photo(self, second: float, **fields: Any) -> int:
        shape = {"width": WIDTH, "height": HEIGHT, "file_name": f"{second:.0f}.jpg"}
        photo_id = await self.shoot.photo(second, **{**shape, **fields})
        async with self.shoot.site.services.sessions.begin() as session:
            photo = await session.get_one(Photo, photo_id)
            await factories.a_picture(session, self.shoot.site.claims, photo, self.preview)
            await factories.a_file(session, photo, b"%d.jpg" % photo_id)
        return photo_id

    async def make(self, size: Size, *photo_ids: int) -> None:
        async with self.shoot.site.session() as session:
            for photo_id in photo_ids:
                photo = await session.get_one(Photo, photo_id)
                await factories.a_rendition(session, self.shoot.site.claims, photo, size, self.image)
            await factories.tell(session, events.RENDITIONS, *photo_ids)


@pytest.fixture
async def darkroom(shoot: Shoot) -> Darkroom:
    return Darkroom(shoot, Image.fromarray(pictures.scene(WIDTH, HEIGHT)))


async def box(page: Page, selector: str) -> dict[str, float]:
    found = await page.locator(selector).bounding_box()
    assert found is not None
    return dict(found)


async def test_a_sharper_picture_takes_the_place_of_the_preview_and_the_next_are_there_before_they_are_seen(
    darkroom: Darkroom, served: str, browser: Browser
) -> None:
    photos = [await darkroom.photo(n * FAR) for n in range(8)]
    page = await browser.open("about:blank")
    asked: list[dict[str, Any]] = []
    page.on("request", lambda request: note(request, asked))
    await page.goto(f"{served}/review")
    preview = page.locator("#stage .loupe-photo[src*='preview.jpg']")
    await expect(preview).to_be_visible()
    before = await box(page, "#stage .loupe-photo")
    await darkroom.make("view", photos[0])
    await expect(page.locator("#stage .loupe-photo[src*='view.jpg']")).to_be_visible()
    await expect(preview).to_have_count(0)
    assert await box(page, "#stage .loupe-photo") == before

    for n in range(1, 5):
        await page.keyboard.press("ArrowRight")
        await expect(page.locator("#position")).to_have_text(f"{n + 1} / 8")
    await until_asked(page, asked, [photos[n] for n in (4, 5, 6, 7, 3, 2, 1)])
    await page.keyboard.press("ArrowLeft")
    await until_asked(page, asked, [photos[n] for n in (3, 2, 1, 4, 5, 6)])
    await darkroom.make("view", photos[4])
    decoded = "performance.getEntriesByName('loupe:decoded').map((mark) => mark.detail.url)"
    await page.wait_for_function(f"() => {decoded}.some((url) => url.includes('/photos/{photos[4]}/view.jpg'))")
    seen = await page.evaluate(f"() => {{ {STEP}; return {SHOWN}; }}")
    assert f"/photos/{photos[4]}/view.jpg" in seen
    await page.wait_for_function("() => performance.getEntriesByName('loupe:step').length >= 5")


def note(request: Request, asked: list[dict[str, Any]]) -> None:
    if request.url.endswith("/api/renditions"):
        asked.append(json.loads(request.post_data or "{}"))


async def until_asked(page: Page, asked: list[dict[str, Any]], ids: list[int]) -> None:
    for _ in range(600):
        if asked and asked[-1]["ids"] == ids:
            return
        await page.wait_for_timeout(50)
    assert asked[-1]["ids"] == ids
