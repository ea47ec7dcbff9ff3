"""From a key to the next photo painted, in a real browser on a dense screen, over photos that were never looked at,
while an import runs; beside a page that does nothing but change the address of one image.

Each step is what the page itself measured: from the time stamp of the key to the frame that shows the photo.
"""

import argparse
import shutil
import statistics
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.convert import make_photos, settle
from benchmarks.system import Running, System

STAGES = ["convert", "render"]
SIZE = (3000, 2000)
DENSE = 2  # device pixels of the screen for one of the page: the loupe asks for 2560 and more
LOOKING_SECONDS = 0.25  # at a photo, key by key
IMPORTED_MEANWHILE = 400
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def run(system: System, options: argparse.Namespace) -> None:
    photos, others = system.folder / "loupe", system.folder / "meanwhile"
    make_photos(photos, options.steps, SIZE)
    make_photos(others, IMPORTED_MEANWHILE)
    with system.running(STAGES, workers=1) as running, sync_playwright() as playwright:
        settle(running, running.start_import(photos))
        importing = running.start_import(others)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        print(f"loupe, {options.steps} photos of {SIZE[0]} x {SIZE[1]}, milliseconds from key to painted photo")
        half = options.steps // 2
        _report("key by key", _steps(browser, running, range(half), _key_by_key))
        _report("key held", _steps(browser, running, range(half, 2 * half), _held))
        _report("a bare image", _bare(browser, running, min(half, 100)))
        is_importing = running.progress(importing)["state"] != "done"
        print(f"  the import {'still ran' if is_importing else 'WAS OVER'} at the end", flush=True)
        browser.close()


def _open(browser: Browser, running: Running, path: str) -> Page:
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, device_scale_factor=DENSE, color_scheme="dark", bypass_csp=True
    )
    page = context.new_page()
    page.goto(running.address + path)
    return page


def _steps(
    browser: Browser, running: Running, places: range, press: Callable[[Page, int], None]
) -> list[dict[str, Any]]:
    """Over the photos at these places of the pass: each is looked at for the first time."""
    opened = running.post("/api/review/passes", {"pass": "cull"})
    page = _open(browser, running, f"/review?pass=cull&of={opened['id']}&at={places.start + 1}")
    page.locator(".loupe-photo").first.wait_for()
    page.wait_for_timeout(1_000)
    press(page, len(places))
    page.wait_for_timeout(1_000)
    measured: list[dict[str, Any]] = page.evaluate(
        "performance.getEntriesByName('loupe:step').map(({ duration, detail }) => ({ duration, ...detail }))"
    )
    page.context.close()
    return measured


def _key_by_key(page: Page, count: int) -> None:
    for _ in range(count):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(LOOKING_SECONDS * 1000)


def _held(page: Page, count: int) -> None:
    """As a keyboard repeats it: thirty times a second. The page steps as often as it can show a photo."""
    for _ in range(2 * count):
        page.keyboard.down("ArrowRight")
        page.wait_for_timeout(1000 / 30)
    page.keyboard.up("ArrowRight")


def _bare(browser: Browser, running: Running, count: int) -> list[dict[str, Any]]:
    """The baseline: one image whose address is changed, nothing fetched or decoded ahead."""
    addresses = [item["preview_url"] for item in running.get(f"/api/photos?limit={count}")["items"]]
    page = _open(browser, running, "/nothing-here")
    measured: list[dict[str, Any]] = page.evaluate(
        """async (addresses) => {
          const image = document.body.appendChild(new Image());
          image.style = "position: fixed; inset: 0; width: 100%; height: 100%; object-fit: contain";
          const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
          const steps = [];
          for (const address of addresses) {
            const start = performance.now();
            image.src = address;
            await image.decode();
            await painted();
            steps.push({ duration: performance.now() - start, url: address });
          }
          return steps;
        }""",
        addresses,
    )
    page.context.close()
    return measured


def _report(name: str, steps: list[dict[str, Any]]) -> None:
    if len(steps) < 2:
        print(f"  {name:<14} not measured: {len(steps)} steps", flush=True)
        return
    took = sorted(step["duration"] for step in steps)
    cuts = statistics.quantiles(took, n=100)
    sharp = sum("/preview.jpg" not in step["url"] for step in steps)
    print(
        f"  {name:<14} median {cuts[49]:6.1f}   p95 {cuts[94]:6.1f}   p99 {cuts[98]:6.1f}   worst {took[-1]:6.1f}"
        f"   ({len(steps)} steps, {sharp} of them painted at once in more pixels than the preview)",
        flush=True,
    )
