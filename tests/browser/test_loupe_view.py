"""How the loupe shows photos: sharper pictures, zoom, overlays and photos beside each other."""

import json
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.async_api import Page, Request, expect

from orchestrator import events
from orchestrator.models import Photo
from shared.contracts.render import Size
from tests import factories, pictures
from tests.browser.browsers import Browser
from tests.fingers import move_fingers, swipe
from tests.shoot import FAR, Shoot

WIDTH, HEIGHT = 3000, 2000
STEP = "document.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', code: 'ArrowRight' }))"
HELD_UNTIL_THE_SIXTH = """() => {
  const key = { key: "ArrowRight", code: "ArrowRight", bubbles: true, repeat: true };
  const repeated = setInterval(() => {
    if (document.getElementById("position").textContent === "6 / 8") clearInterval(repeated);
    else document.dispatchEvent(new KeyboardEvent("keydown", key));
  }, 30);
}"""
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
    page, asked = await overheard(f"{served}/review", browser)
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
        await page.wait_for_function(f"() => performance.getEntriesByName('loupe:step').length >= {n}")
    await until_asked(page, asked, [photos[n] for n in (4, 5, 6, 7, 3, 2, 1)])
    await page.keyboard.press("ArrowLeft")
    await until_asked(page, asked, [photos[n] for n in (3, 2, 1, 4, 5, 6)])
    await darkroom.make("view", photos[4])
    decoded = "performance.getEntriesByName('loupe:decoded').map((mark) => mark.detail.url)"
    await page.wait_for_function(f"() => {decoded}.some((url) => url.includes('/photos/{photos[4]}/view.jpg'))")
    seen = await page.evaluate(f"() => {{ {STEP}; return {SHOWN}; }}")
    assert f"/photos/{photos[4]}/view.jpg" in seen
    await page.wait_for_function("() => performance.getEntriesByName('loupe:step').length >= 5")  # one may go by unseen


async def test_where_a_held_key_is_let_go_the_sharper_pictures_are_asked_for(
    darkroom: Darkroom, served: str, browser: Browser
) -> None:
    photos = [await darkroom.photo(n * FAR) for n in range(8)]
    page, asked = await overheard(f"{served}/review", browser)
    await expect(page.locator("#position")).to_have_text("1 / 8")
    await page.evaluate(HELD_UNTIL_THE_SIXTH)
    await until_asked(page, asked, [photos[n] for n in (5, 6, 7, 4, 3, 2)])


async def overheard(address: str, browser: Browser) -> tuple[Page, list[dict[str, Any]]]:
    """The page, and what it asks to have rendered."""
    asked: list[dict[str, Any]] = []
    page = await browser.open("about:blank")
    page.on("request", lambda request: note(request, asked))
    await page.goto(address)
    return page, asked


def note(request: Request, asked: list[dict[str, Any]]) -> None:
    if request.url.endswith("/api/renditions"):
        asked.append(json.loads(request.post_data or "{}"))


async def until_asked(page: Page, asked: list[dict[str, Any]], ids: list[int], size: Size = "view") -> None:
    for _ in range(600):
        of_size = [one["ids"] for one in asked if one["size"] == size]
        if ids in of_size[-1:]:
            return
        await page.wait_for_timeout(50)
    assert asked[-1] == {"ids": ids, "size": size}


async def test_a_zoom_shows_the_point_under_the_pointer_and_is_held_through_a_burst(
    darkroom: Darkroom, served: str, browser: Browser
) -> None:
    frames = [await darkroom.photo(n, sharpness_score=50 - n) for n in range(3)]
    after = await darkroom.photo(FAR)
    await darkroom.shoot.search()
    await darkroom.make("full", frames[0])
    page = await browser.open("about:blank")
    asked: list[dict[str, Any]] = []
    page.on("request", lambda request: note(request, asked))
    await page.goto(f"{served}/review")
    await expect(page.locator("#frames")).to_have_text("❐ burst of 3")
    await until_asked(page, asked, [frames[0], after, *frames[1:]])
    whole = await box(page, "#stage .loupe-photo")
    at = {"x": whole["x"] + 0.4 * whole["width"], "y": whole["y"] + 0.6 * whole["height"]}
    await page.mouse.move(**at)
    await page.keyboard.press("z")
    await expect(page.locator("#announced")).to_contain_text("100 %")
    await until_asked(page, asked, frames, "full")
    zoomed = await box(page, "#stage .loupe-photo")
    assert (zoomed["width"], zoomed["height"]) == (WIDTH, HEIGHT)  # one of its pixels for one of the screen's
    point = ((at["x"] - zoomed["x"]) / zoomed["width"], (at["y"] - zoomed["y"]) / zoomed["height"])
    assert point == pytest.approx((0.4, 0.6), abs=0.001)
    await expect(page.locator("#stage .loupe-photo[src*='full.jpg']")).to_be_visible()
    await expect(page.locator("#zoom-words")).to_have_text("100 %")

    await page.keyboard.press("Shift+ArrowDown")
    assert (await box(page, "#stage .loupe-photo"))["y"] == zoomed["y"] - 120
    await page.keyboard.press("Shift+ArrowUp")
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("#file-name")).to_have_text("1.jpg")
    assert await box(page, "#stage .loupe-photo") == zoomed
    await expect(page.locator("#zoom-words")).to_contain_text("its pixels are on their way")
    await darkroom.make("full", frames[1])
    await expect(page.locator("#zoom-words")).to_have_text("100 %")
    await drag(page, at, 5000, -30)  # to the left edge and no further
    stage = await box(page, "#stage")
    dragged = await box(page, "#stage .loupe-photo")
    assert (dragged["x"], dragged["y"]) == (stage["x"], zoomed["y"] - 30)
    await page.mouse.move(**at)
    await page.mouse.wheel(0, 10_000)
    await expect(page.locator("#zoom-words")).to_be_hidden()
    assert await box(page, "#stage .loupe-photo") == whole

    await page.keyboard.press("z")
    await page.keyboard.press("ArrowRight")
    await expect(page.locator("#file-name")).to_have_text("10000.jpg")
    assert await box(page, "#stage .loupe-photo") == whole
    await darkroom.shoot.site.client.post("/api/stages/render/pause")
    await page.keyboard.press("z")
    await expect(page.locator("#zoom-words")).to_have_text(
        "100 %, blurred: Views are paused. Resume them in the pipeline."
    )
    await page.keyboard.press("Escape")
    assert await box(page, "#stage .loupe-photo") == whole


async def drag(page: Page, at: dict[str, float], dx: float, dy: float) -> None:
    await page.mouse.move(**at)
    await page.mouse.down()
    await page.mouse.move(at["x"] + dx, at["y"] + dy, steps=3)
    await page.mouse.up()


async def test_what_is_clipped_and_what_is_in_focus_is_marked_in_colours_with_words(
    darkroom: Darkroom, served: str, browser: Browser
) -> None:
    pixels = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    pixels[:1000, :1500] = 255
    pixels[1000:, :1500] = 0
    pixels[1000:, 1500:] = pictures.scene(1500, 1000)  # fine detail
    darkroom.preview = Image.fromarray(pixels).resize((1440, 960))
    await darkroom.photo(0)
    page = await browser.open(f"{served}/review")
    await expect(page.locator("#stage .loupe-photo")).to_be_visible()
    await page.keyboard.press("o")
    await expect(page.locator("#legend")).to_have_text("in focus: fine detail")
    await expect(page.locator("#stage canvas")).to_be_visible()
    assert await marked(page) == [0, 0, 0, True]
    await page.get_by_role("button", name="Focus peaking, clipping (o)").click()
    await expect(page.locator("#announced")).to_contain_text("Clipping")
    await expect(page.locator("#legend")).to_have_text(re.compile(r"highlights without detail, 2\d\.\d %.*shadows"))
    assert await marked(page) == ["255,60,60", "70,110,255", 0, False]
    await page.keyboard.press("z")
    assert await box(page, "#stage canvas") == await box(page, "#stage .loupe-photo")
    await page.keyboard.press("o")
    await expect(page.locator("#stage canvas")).to_have_count(0)
    await expect(page.locator("#legend li")).to_have_count(0)


async def marked(page: Page) -> list[Any]:
    """The colours in the middle of the bright, the dark and the plain quarter; whether much of the fine one has any."""
    found: list[Any] = await page.evaluate(
        """() => {
          const shown = document.querySelector("#stage canvas");
          const copy = Object.assign(document.createElement("canvas"), { width: shown.width, height: shown.height });
          const sheet = copy.getContext("2d");
          sheet.drawImage(shown, 0, 0);
          const at = (x, y) => sheet.getImageData(shown.width * x, shown.height * y, 1, 1).data;
          const colour = ([red, green, blue, alpha]) => alpha && [red, green, blue].join();
          const fine = sheet.getImageData(shown.width * 0.6, shown.height * 0.6, 100, 100).data;
          const share = fine.filter((value, n) => n % 4 === 3 && value).length / 10_000;
          return [...[[0.2, 0.2], [0.2, 0.8], [0.8, 0.2]].map(([x, y]) => colour(at(x, y))), share > 0.05];
        }"""
    )
    return found


async def test_photos_are_compared_and_decided_about_beside_each_other(
    darkroom: Darkroom, served: str, browser: Browser
) -> None:
    frames = [await darkroom.photo(n, sharpness_score=50 - n) for n in range(3)]
    await darkroom.photo(FAR)
    await darkroom.shoot.search()
    page = await browser.open(f"{served}/review")
    await expect(page.locator("#frames")).to_have_text("❐ burst of 3")
    names, taken = page.locator(".compared bdi"), page.locator(".compared[aria-current] bdi")
    await page.keyboard.press("c")
    await expect(names).to_have_text(["0.jpg", "1.jpg"])
    await page.keyboard.press("+")
    await expect(names).to_have_text(["0.jpg", "1.jpg", "2.jpg"])
    await page.keyboard.press("Escape")
    await expect(names).to_have_count(0)
    await expect(page.locator("#stage .loupe-photo")).to_be_visible()
    await page.keyboard.press("c")
    await expect(names).to_have_count(3)
    await expect(taken).to_have_text("0.jpg")
    await page.keyboard.press("ArrowRight")
    await expect(taken).to_have_text("1.jpg")
    await expect(page.locator("#file-name")).to_have_text("1.jpg")
    await page.keyboard.press("4")
    await expect(page.locator(".compared[aria-current] .compared-marks")).to_contain_text("★★★★")
    await typing_goes_into_the_field(page, "black-and-white+c")
    await page.locator(".compared").nth(1).focus()
    await page.keyboard.press("Tab")
    await page.keyboard.press("x")
    await expect(page.locator(".compared.rejected bdi")).to_have_text("2.jpg")
    await page.locator(".compared").first.click()
    await page.keyboard.press("k")
    await expect(page.locator("#announced")).to_contain_text("Kept 0.jpg")
    await expect(names).to_have_count(3)

    await page.locator(".compared").nth(1).hover()
    await page.keyboard.press("z")
    boxes = [await box(page, f".compared:nth-child({n}) .loupe-photo") for n in (1, 2, 3)]
    rooms = [await box(page, f".compared:nth-child({n}) .compared-room") for n in (1, 2, 3)]
    assert {one["width"] for one in boxes} == {WIDTH}
    places = [(one["x"] - room["x"], one["y"] - room["y"]) for one, room in zip(boxes, rooms, strict=True)]
    assert len(set(places)) == 1
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+z")
    await page.keyboard.press("Control+z")
    await expect(page.locator(".compared.rejected")).to_have_count(0)

    await page.locator(".compared").nth(1).focus()
    await page.keyboard.press("Shift+K")
    await expect(page.locator("#compare")).to_be_hidden()
    await expect(page.locator("#file-name")).to_have_text("10000.jpg")
    await darkroom.shoot.until_rejected(frames[0], frames[2])
    await page.keyboard.press("Control+z")
    await expect(page.locator("#position")).to_have_text("1 / 2")
    await darkroom.shoot.until_rejected()


async def typing_goes_into_the_field(page: Page, words: str) -> None:
    await page.keyboard.press("i")
    field = page.get_by_role("textbox", name="Add a tag")
    await field.press_sequentially(words)
    await expect(field).to_have_value(words)
    await page.keyboard.press("Escape")
    await page.keyboard.press("i")


async def tap_twice(page: Page, at: tuple[float, float]) -> None:
    """On a busy machine two taps may be too far apart to be taken as one."""
    for _ in range(100):
        await page.touchscreen.tap(*at)
        if await page.locator("#stage.zoomed").count():
            return


async def test_two_taps_zoom_in_on_a_phone_and_a_finger_moves_the_photo(
    darkroom: Darkroom, served: str, browser: Browser
) -> None:
    await darkroom.photo(0)
    await darkroom.photo(FAR)
    page = await browser.open(f"{served}/review", width=390)
    await expect(page.locator("#stage .loupe-photo")).to_be_visible()
    whole = await box(page, "#stage .loupe-photo")
    at = (whole["x"] + 0.7 * whole["width"], whole["y"] + 0.5 * whole["height"])
    await tap_twice(page, at)
    await expect(page.locator("#announced")).to_contain_text("100 %")
    zoomed = await box(page, "#stage .loupe-photo")
    density = await page.evaluate("devicePixelRatio")
    assert zoomed["width"] == pytest.approx(WIDTH / density)
    assert (at[0] - zoomed["x"]) / zoomed["width"] == pytest.approx(0.7, abs=0.002)
    await page.get_by_role("button", name="100 % (z)").tap()
    await expect(page.locator("#stage.zoomed")).to_have_count(0)
    assert await box(page, "#stage .loupe-photo") == whole
    await tap_twice(page, at)
    await move_fingers(page, ((300, 300), (200, 320)))  # the photo, not to the next one
    moved = await box(page, "#stage .loupe-photo")
    assert (moved["x"] - zoomed["x"], moved["y"] - zoomed["y"]) == pytest.approx((-100, 20), abs=1)
    await expect(page.locator("#position")).to_have_text("1 / 2")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Compare (c)").tap()
    await expect(page.locator(".compared")).to_have_count(2)
    small = "[...document.querySelectorAll('.compare-bar button, .loupe-look button')].filter((button) => {"
    small += "const { width, height } = button.getBoundingClientRect(); return Math.min(width, height) < 44; }).length"
    assert await page.evaluate(small) == 0
    await page.get_by_role("button", name="Compare (c)").tap()
    await expect(page.locator("#compare")).to_be_hidden()
    await swipe(page, -100, 0)
    await expect(page.locator("#position")).to_have_text("2 / 2")
    await move_fingers(page, ((150, 350), (100, 350)), ((250, 350), (300, 350)))
    pinched = await box(page, "#stage .loupe-photo")
    assert pinched["width"] == pytest.approx(2 * whole["width"], rel=0.02)
    await expect(page.locator("#position")).to_have_text("2 / 2")
