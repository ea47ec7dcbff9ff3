"""The whole way of a photographer on the sample photographs: import, cull, rate, a project, and an export."""

import asyncio
import json
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.browsers import Browser, all_sent, follow
from tests.samples import put_samples
from tests.stack import Stack

pytestmark = pytest.mark.timeout(280)
SLOW = 60_000  # milliseconds, where several services have work to do


async def test_a_shoot_is_culled_rated_and_exported_by_keyboard(
    stack: Stack, samples: Path, browser: Browser, tmp_path: Path
) -> None:
    put_samples(samples, stack.photos)
    address = await opened(stack, "convert", "embed", "bursts", "render")
    page = await browser.open(address, theme="dark")
    await import_folder(page, stack.photos)
    await follow(page, page.get_by_role("link", name="Review"))
    said = await cull_by_key(page)
    assert set(said.values()) == {"k", "x", "4", "p"}
    await follow(page, page.get_by_role("link", name="kept: rate"))
    await rate_by_key(page)
    await all_sent(page)

    await page.goto(f"{address}/gallery?filter=for-projects")
    good = await photos(stack, filter="for-projects")
    await expect(page.locator("#grid .card").first).to_be_visible(timeout=SLOW)
    await expect(page.locator("#summary")).to_have_text(f"{len(good)} photos")
    await page.keyboard.press("Control+a")
    await expect(page.locator("#selection-said")).to_have_text(f"{len(good)} selected")
    await page.keyboard.press("t")
    await page.keyboard.type("Wall of 2024")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status").get_by_text("Wall of 2024")).to_be_visible()
    assert await shown_in_time(stack, len(good), project="Wall of 2024") == good
    await follow(page, page.get_by_role("link", name="Projects", exact=True))
    await follow(page, page.get_by_role("link", name="Wall of 2024"))
    await export(page, tmp_path / "wall")
    assert exported(tmp_path / "wall") == good
    assert not exported(tmp_path / "wall") & {name for name, key in said.items() if key == "x"}


async def test_a_few_photos_are_culled_rated_and_exported_on_a_phone(
    stack: Stack, samples: Path, browser: Browser, tmp_path: Path
) -> None:
    put_samples(samples, stack.photos)
    address = await opened(stack, "convert", "render")
    page = await browser.open(address, width=390)
    await import_folder(page, stack.photos)
    await page.get_by_role("link", name="Review").tap()
    names = []
    for verb in ("Keep", "Reject", "Keep"):
        names.append(await stood_at(page))
        await page.locator(".loupe-decide").get_by_role("button", name=verb, exact=True).tap()
        await moved_on(page, names[-1])
    await page.goto(f"{address}/review?pass=rate")
    for stars in (5, 2):
        name = await stood_at(page)
        await page.locator(".loupe-decide").get_by_role("button", name=f"{stars} stars").tap()
        await page.get_by_role("button", name="About this photo (i)").tap()
        await page.get_by_label("Project").fill("Pocket")
        await page.get_by_label("Project").press("Enter")
        await page.get_by_role("button", name="Close").tap()
        await page.get_by_role("button", name="Next photo (→)").tap()
        await moved_on(page, name)
    kept = {names[0], names[2]}
    assert await shown_in_time(stack, 2, project="Pocket") == kept
    await page.goto(f"{address}/projects")
    async with page.expect_navigation():  # both pages have a link to an export, of something else
        await page.get_by_role("link", name="Pocket").tap()
    await export(page, tmp_path / "pocket")
    (best,) = [photo["file_name"] for photo in stack.photos_shown(project="Pocket") if photo["user_rating"] == 5]
    assert exported(tmp_path / "pocket") == {best}


async def opened(stack: Stack, *stages: str) -> str:
    await asyncio.to_thread(stack.orchestrator)
    stack.workers(*stages)
    return f"http://127.0.0.1:{stack.port}"


async def import_folder(page: Page, folder: Path) -> None:
    field = page.get_by_label("Folder", exact=True)
    await field.fill(str(folder))
    await field.press("Enter")
    await page.get_by_role("button", name="Import this folder").click()
    await expect(page.locator("#imports .import .state")).to_contain_text("done", timeout=2 * SLOW)


async def cull_by_key(page: Page) -> dict[str, str]:
    """What was said about each photo that a stop showed, to the end of the pass."""
    said: dict[str, str] = {}
    for key in cycle("kx4p"):
        name = await stood_at(page)
        said[name] = key
        await page.keyboard.press(key)
        if key in "4p":
            await page.keyboard.press("ArrowRight")
        await moved_on(page, name)
        if await page.locator("#end").is_visible():
            return said
    raise AssertionError("a pass without an end")


async def rate_by_key(page: Page) -> None:
    for stars in cycle("52"):
        name = await stood_at(page)
        await page.keyboard.press(stars)
        await page.keyboard.press("ArrowRight")
        await moved_on(page, name)
        if await page.locator("#end").is_visible():
            return


async def stood_at(page: Page) -> str:
    """The name of the photo that is seen, or the end of the pass if there is none."""
    await expect(page.locator(".loupe-photo").first).to_be_visible(timeout=SLOW)
    return await page.locator("#file-name").inner_text()


async def moved_on(page: Page, from_name: str) -> None:
    """Another photo is seen now, or the end of the pass."""
    end = page.locator("#end:not([hidden])")
    elsewhere = page.locator("#file-name").filter(has_not_text=from_name)
    await expect(end.or_(elsewhere).first).to_be_visible()


async def photos(stack: Stack, **query: str) -> set[str]:
    return {photo["file_name"] for photo in await asyncio.to_thread(stack.photos_shown, **query)}


async def shown_in_time(stack: Stack, count: int, **query: str) -> set[str]:
    """The decision is on its way behind the page."""
    await asyncio.to_thread(stack.wait, lambda: len(stack.photos_shown(**query)) == count, f"{count} photos")
    return await photos(stack, **query)


async def export(page: Page, target: Path) -> None:
    await follow(page, page.get_by_role("link", name="Export"))
    await page.get_by_label("Into the folder").fill(str(target))
    await page.get_by_role("button", name="Export").click()
    await expect(page.get_by_text("exported to")).to_be_visible(timeout=SLOW)


def exported(target: Path) -> set[str]:
    """Original names by the manifest; every picture that it names is there, and no other."""
    entries: list[dict[str, Any]] = json.loads((target / "photos.json").read_text())
    assert {entry["filename"] for entry in entries} | {"photos.json"} == {path.name for path in target.iterdir()}
    return {entry["original_name"] for entry in entries}
