"""Takes the pictures of docs/screens from the sample photographs: `make screenshots`.

Opens Keepers in a home of its own, lets a made-up person rate what is there, and looks at every page in a real browser.
"""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

SCREENS = Path(__file__).with_name("screens")
KEEPERS = Path(sys.executable).with_name("keepers")
PATIENCE_SECONDS = 600  # on a machine that has much else to do
SIZES = {1280: 800, 390: 844}
# With these the sample photographs would come into somebody's own archive, or not at all, or be sent away.
ELSEWHERE = {"DATABASE_URL", "RABBITMQ_URL", "PHOTO_LIBRARY", "PHOTO_LIBRARIES", "LLM_BASE_URL"}
# What the made-up person thinks of a folder, frame by frame; folders that are not named stay to be culled.
STARS = {
    "Summer Palace": (5, 4), "Coast": (5, 5, 4), "Wet meadow": (5, 4, 4), "Park": (4, 3), "Garden": (3, 2, 3, 4),
    "Cat": (2, 1, 2, 3), "Garage": (1, 2, 1), "Launch": (4, 3), "Portraits": (2, 3), "Night sky": (3,), "Café": (2,),
    "Scans": (4,),
}  # fmt: skip
PROJECT = "Wall of 2024"

# Images further down are only fetched once they are scrolled to.
NOTHING_LOADS = "[...document.images].every((image) => image.complete || image.loading === 'lazy')"

Look = Callable[[Page, bool], None]  # and whether it is a phone


def main() -> None:
    SCREENS.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        _keepers(Path(folder) / "Photos") as address,
        sync_playwright() as playwright,
    ):
        client = httpx.Client(base_url=address, timeout=60)
        _rate(client)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for name, path, look in _pages(client, Path(folder) / "Photos"):
            for width in SIZES:
                _take(browser, f"{address}{path}", name, width, look)
        browser.close()


@contextmanager
def _keepers(photos: Path) -> Iterator[str]:
    """Keepers with the sample photographs, everything settled; its address."""
    home = photos.with_name("home")
    subprocess.run([KEEPERS, "samples", photos], check=True)
    environment = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    up = [KEEPERS, "up", "--port", "0", "--photos", photos]
    process = subprocess.Popen(up, env=environment | {"KEEPERS_HOME": str(home)}, stdout=subprocess.DEVNULL)
    try:
        services = home / "run" / "services.json"
        _wait(services.exists)
        address = str(json.loads(services.read_text())["address"])
        _wait(lambda: _is_settled(address))
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)


def _is_settled(address: str) -> bool:
    imports = httpx.get(f"{address}/api/imports").json()["items"]
    stages = [counts for one in imports for counts in one["stages"].values()]
    return bool(imports) and imports[0]["state"] == "done" and not any(counts["pending"] for counts in stages)


def _rate(client: httpx.Client) -> None:
    photos = client.get("/api/photos", params={"limit": 200}).json()["items"]
    for folder, stars in STARS.items():
        mine = sorted((photo["file_path"], photo["id"]) for photo in photos if folder in photo["file_path"])
        for (_, photo_id), rating in zip(mine, itertools.chain(stars), strict=False):
            wish: dict[str, Any] = {"user_rating": rating}  # Any: JSON
            client.patch(f"/api/photos/{photo_id}", json=wish | ({"project": PROJECT} if rating > 3 else {}))
            if rating == 1:
                client.post("/api/decisions", json={"ids": [photo_id], "action": "reject"}).raise_for_status()
    client.post("/api/taste/train").raise_for_status()
    _wait(lambda: client.get("/api/taste").json()["model"])
    _wait(lambda: client.get("/api/taste").json()["state"] == "idle")


def _pages(client: httpx.Client, photos: Path) -> list[tuple[str, str, Look]]:
    best = client.get("/api/photos", params={"sort": "rating", "limit": 1}).json()["items"][0]["id"]
    project = client.get("/api/projects").json()["items"][0]["id"]
    return [
        ("import", "/", _nothing),
        ("gallery", f"/gallery?photo={best}", _nothing),
        ("loupe", "/review?pass=rate", _with("Home", "i")),
        ("cull", "/review?pass=cull", _with("Home", "b")),
        ("compare", "/review?pass=cull", _with("Home", "c")),
        ("selection", "/gallery", _select_all),
        ("placard", f"/placard/{_placard(client, photos)}", _nothing),
        ("projects", "/projects", _nothing),
        ("project", f"/projects/{project}", _nothing),
        ("export", "/export", _nothing),
        ("taste", "/taste", _nothing),
        ("problems", "/logs", _nothing),
        ("dead-letters", "/dead-letters", _nothing),
        ("conflicts", "/conflicts", _nothing),
        ("settings", "/settings", _nothing),
        ("free-space", "/free-space", _nothing),
    ]


def _placard(client: httpx.Client, photos: Path) -> int:
    """The number of the placard of a photo that was dropped, once it is described."""
    name = "of-a-cup.jpg"
    dropped = sorted(photos.glob("*Caf*/*.JPG"))[0].read_bytes() + b"\0"  # no photo of the archive to the byte
    number = int(client.post("/api/placards", params={"name": name}, content=dropped).raise_for_status().json()["id"])
    _wait(lambda: client.get(f"/api/placards/{number}").json()["words"])
    return number


def _take(browser: Browser, address: str, name: str, width: int, look: Look) -> None:
    is_phone = width < 500
    context = browser.new_context(
        viewport={"width": width, "height": SIZES[width]},
        has_touch=is_phone,
        is_mobile=is_phone,
        bypass_csp=True,  # the page lets nobody evaluate what is asked of it below
    )
    page = context.new_page()
    page.goto(address)
    page.wait_for_load_state("load")
    look(page, is_phone)
    page.wait_for_function(NOTHING_LOADS)
    page.wait_for_timeout(1_000)  # motion and late sentences
    page.screenshot(path=SCREENS / f"{name}-{width}.jpg", type="jpeg", quality=72)
    context.close()


def _select_all(page: Page, is_phone: bool) -> None:
    if is_phone:
        return
    page.locator(".card").first.wait_for()
    page.keyboard.press("Control+a")


def _nothing(page: Page, is_phone: bool) -> None:
    """The page as it opens."""


def _with(*keys: str) -> Look:
    """A stop of the loupe, after these keys. On a phone after the first one: what the others open covers the photo."""

    def look(page: Page, is_phone: bool) -> None:
        page.locator(".loupe-photo, #end:not([hidden])").first.wait_for()
        for key in keys[:1] if is_phone else keys:
            page.keyboard.press(key)
        page.locator(".loupe-photo").first.wait_for()

    return look


def _wait(condition: Callable[[], Any]) -> None:  # Any: whatever is true or not
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            sys.exit("Keepers did not get ready in time.")
        time.sleep(0.2)


if __name__ == "__main__":
    main()
