"""A photo is dropped, chosen or pasted in a real browser, and its placard appears."""

import base64
from typing import Any

import pytest
from playwright.async_api import Page, expect

from orchestrator import events
from tests import factories
from tests.archive import Archive
from tests.browser.browsers import Browser, follow
from tests.doubles.vision_host import MARKUP
from tests.pictures import saved, scene
from tests.placards import described
from tests.site import Site, serve

JPEG = saved(scene(), "JPEG", quality=90)

# Files as a hand lets go of them over an element, or puts them on the clipboard.
GIVE = """
([selector, type, files]) => {
  const transfer = new DataTransfer();
  for (const [name, data] of files) {
    transfer.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name, { type: "image/jpeg" }));
  }
  const node = document.querySelector(selector);
  const options = { bubbles: true, cancelable: true, dataTransfer: transfer };
  if (type === "paste") return node.dispatchEvent(new ClipboardEvent(type, { ...options, clipboardData: transfer }));
  for (const name of ["dragenter", "dragover", type]) node.dispatchEvent(new DragEvent(name, options));
}
"""


async def give(page: Page, *files: tuple[str, bytes], selector: str = "#drop-zone", how: str = "drop") -> None:
    encoded = [[name, base64.b64encode(data).decode()] for name, data in files]
    await page.evaluate(GIVE, [selector, how, encoded])


@pytest.mark.parametrize("width", [1280, 390])
async def test_a_dropped_photo_gets_its_placard_piece_by_piece(archive: Archive, browser: Browser, width: int) -> None:
    async with serve(archive.site) as address:
        page = await browser.open(address, width=width)
        await give(page, ("holiday <b>.jpg", JPEG))
        await page.wait_for_url("**/placard/1")
        await expect(page.get_by_role("heading", name="holiday <b>.jpg")).to_be_visible()
        await expect(page.get_by_text("Waiting to be looked at…")).to_be_visible()
        await archive.work()
        await expect(page.get_by_role("img", name="holiday <b>.jpg")).to_be_visible()
        await expect(page.get_by_text("Waiting to be described…")).to_be_visible()
        await described(archive, subject=f"A red corner {MARKUP}", artistic_mood="calm", suggested_tags=["red", MARKUP])
        await expect(page.get_by_role("heading", name="A red corner")).to_have_text(f"A red corner {MARKUP}")
        await expect(page.get_by_role("list", name="Tags").get_by_role("listitem")).to_have_text(["red", MARKUP])
        await expect(page.get_by_text("Described by llava")).to_be_visible()
        assert await page.locator("img[src='x']").count() == 0
        await page.get_by_role("button", name="Describe again").click()
        await expect(page.get_by_text("Waiting to be described…")).to_be_visible()
        await follow(page, page.get_by_role("link", name="Another photo"))
        await expect(page.get_by_role("region", name="One photo").get_by_role("img")).to_have_count(1)


@pytest.mark.parametrize("width", [1280, 390])
async def test_a_photo_is_chosen_with_the_keyboard(site: Site, served: str, browser: Browser, width: int) -> None:
    page = await browser.open(served, width=width)
    async with page.expect_file_chooser() as choosing:
        await page.get_by_role("button", name="Choose a photo").focus()
        await page.keyboard.press("Enter")
    chooser = await choosing.value
    assert not chooser.is_multiple()
    await chooser.set_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"Dear diary"})
    refused = page.get_by_role("alert").filter(has_text="This is not a photo")
    await expect(refused).to_have_text("a.txt: This is not a photo: its content is of an unknown kind.")
    await expect(page.get_by_role("button", name="Choose a photo")).to_be_focused()
    await page.set_input_files("#drop-file", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": JPEG})
    await page.wait_for_url("**/placard/1")


async def test_what_cannot_be_taken_is_said_before_it_is_sent(site: Site, served: str, browser: Browser) -> None:
    page = await browser.open(served)
    refused = page.locator("#drop-refused")
    await give(page, ("a.jpg", JPEG), ("b.jpg", JPEG))
    await expect(refused).to_contain_text("These are 2 files. Drop one photo at a time")
    await give(page, ("a.jpg", b""))
    await expect(refused).to_have_text("a.jpg is empty: it has no bytes.")
    await page.evaluate("File.prototype.__defineGetter__('size', () => 60e6)")
    await give(page, ("a.jpg", JPEG))
    await expect(refused).to_contain_text("a.jpg has 60.0 MB, over the limit of 50 MB.")
    assert (await site.client.get("/api/placards")).json()["items"] == []


async def test_a_photo_is_pasted_and_one_beside_the_zone_is_taken_too(
    site: Site, served: str, browser: Browser
) -> None:
    page = await browser.open(served)
    await give(page, ("pasted.jpg", JPEG), selector="body", how="paste")
    await page.wait_for_url("**/placard/1")
    await page.goto(served)
    await give(page, ("dropped.jpg", saved(scene(seed=2), "JPEG")), selector="#import-form")
    await page.wait_for_url("**/placard/2")


async def test_an_upload_shows_how_far_it_is_and_can_be_stopped(site: Site, served: str, browser: Browser) -> None:
    page = await browser.open(served)

    async def never(route: Any) -> None:
        """The server takes its time."""

    await page.route("**/api/placards?name=*", never)
    await give(page, ("slow.jpg", JPEG))
    await expect(page.get_by_role("progressbar", name="Sent")).to_be_visible()
    await expect(page.locator("#drop-sending")).to_contain_text("slow.jpg")
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.get_by_role("progressbar", name="Sent")).to_be_hidden()
    await expect(page.get_by_role("button", name="Choose a photo")).to_be_focused()
    await expect(page.locator("#drop-refused")).to_be_hidden()


async def test_a_failure_is_said_and_tried_again_and_the_placard_is_removed(archive: Archive, browser: Browser) -> None:
    async with serve(archive.site) as address:
        page = await browser.open(address)
        await give(page, ("broken.jpg", JPEG[:300] + bytes(400)))
        await page.wait_for_url("**/placard/1")
        await archive.work()
        await expect(page.get_by_text("broken.jpg is broken and shows no picture.")).to_be_visible()
        await page.get_by_role("button", name="Try again").click()
        await expect(page.get_by_text("Waiting to be looked at…")).to_be_visible()
        await page.get_by_role("button", name="Remove").click()
        await expect(page.get_by_text("removed for good")).to_be_visible()
        await page.get_by_role("link", name="Another photo").focus()
        await expect(page.get_by_text("removed for good")).to_be_hidden()
        await page.get_by_role("button", name="Remove").focus()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="Choose a photo")).to_be_visible()
        assert (await archive.site.client.get("/api/placards")).json()["items"] == []


@pytest.mark.parametrize("width", [1280, 390])
async def test_a_long_label_stays_on_the_screen(site: Site, served: str, browser: Browser, width: int) -> None:
    long = "unbroken" * 40
    words = {"described_by": long, "prompt_version": 1, "subject": long, "content_type": "other", "artistic_mood": long}
    async with site.services.sessions.begin() as session:
        photo = factories.a_gradient(400, 900)
        told = {**words, "lighting_critique": long, "suggested_tags": [long]}
        placard = await factories.a_placard(session, site.claims, photo, file_name=f"{long}.jpg", description=told)
        await events.record(session, events.STAGES, [])
    page = await browser.open(f"{served}/placard/{placard.id}", width=width)
    await expect(page.get_by_role("heading", name=long)).to_be_visible()
    await expect(page.get_by_text("f/2.8")).to_be_visible()
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await page.evaluate(overflow) == 0
