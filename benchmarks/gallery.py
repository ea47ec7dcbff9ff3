"""The gallery over a large archive. What its requests take, and the queries in each of them, beside paging by OFFSET
and beside a page that shows photos as plain images; then in a browser: the first page, another filter, and the end of
the list."""

import argparse
import re
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.archive import fill
from benchmarks.loupe import ARGUMENTS
from benchmarks.system import Running, System

TIMES = 40
JUMPS = 20
BARE_IMAGES = 20_000  # more take the browser minutes
FILTERS = ("all", "unrated", "rated", "match", "nomatch", "for-projects", "bursts", "rejected")
SORTS = ("taste", "taste-up", "rating", "sharpness", "exposure")
NARROWINGS = ("sort=captured", "camera=Z+6", "content_type=street&sort=sharpness", "from=2016-01-01&to=2018-12-31")
WIDE = {"width": 1280, "height": 800}

_EXECUTED = re.compile(r"duration: ([\d.]+) ms  (?:bind|execute)")
_OFFSET = (
    "SELECT * FROM photos WHERE preview IS NOT NULL AND deleted_at IS NULL AND rejected_at IS NULL"
    " ORDER BY {} LIMIT 100 OFFSET {}"
)
_IS_SETTLED = """() => {
  const seen = [...document.querySelectorAll(".row")].filter((row) => {
    const { top, bottom } = row.getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  });
  const images = seen.flatMap((row) => [...row.querySelectorAll("img")]);
  return seen.length > 0 && seen.every((row) => !row.matches(".waiting")) && images.every((image) => image.complete)
    && seen.flatMap((row) => [...row.querySelectorAll(".card")]).map((card) => Number(card.dataset.id));
}"""


def run(system: System, options: argparse.Namespace) -> None:
    with system.running([], workers=0) as running:
        start = time.monotonic()
        fill(system.database_url, options.archive, running.home / "claims")
        print(f"gallery, {options.archive:,} photos, made in {time.monotonic() - start:.0f} s", flush=True)
        _requests(running, system.folder / "postgres" / "server.log")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
            _pages(browser, running)
            browser.close()


def _requests(running: Running, log: Path) -> None:
    """Every request that the page makes, again and again; the server logs how long each of its statements took."""
    for setting in ("log_min_duration_statement = 0", "log_min_error_statement = panic"):
        running.sql(f"ALTER SYSTEM SET {setting}")
    running.sql("SELECT pg_reload_conf()")
    print("  milliseconds of a request and of its queries     median      p95   queries: median      p95", flush=True)
    kept = running.get("/api/photos/anchors?sort=captured")
    newest = running.get("/api/photos/anchors")["anchors"]
    ends = [*(anchor["after"] for anchor in newest), ""]
    whole = [f"/api/photos?limit=500&after={ends[n] or ''}&last={ends[n + 1]}" for n in range(len(newest))]
    last = running.get("/api/photos?limit=1")["items"][0]["id"]
    requests: dict[str, Callable[[int], str]] = {
        "the page": lambda n: "/gallery",
        "a segment anywhere": lambda n: whole[n * len(whole) // TIMES],
        "another filter, by date": lambda n: "/api/photos?filter=unrated&sort=captured&limit=120",
        "matches, best first": lambda n: "/api/photos?filter=match&sort=taste&limit=120",
        "one camera, sharpest first": lambda n: "/api/photos?camera=Z+6&sort=sharpness&limit=120",
        "words that are common": lambda n: "/api/photos?q=lighthouse&limit=120",
        "one photo": lambda n: f"/api/photos/{1 + n * last // TIMES}",
        "photos by number": lambda n: f"/api/photos?ids={','.join(str(1 + (n + m) * 97 % last) for m in range(200))}",
        "anchors, kept": lambda n: "/api/photos/anchors?sort=captured",
        "where a photo is": lambda n: f"/api/photos/anchors?sort=captured&around={1 + n * last // TIMES}",
        "a range of ids": lambda n: f"/api/photos/between?first={last // 2}&last={last // 2 + 500}",
        "counts, kept": lambda n: "/api/photos/counts",
        "facets, kept": lambda n: "/api/photos/facets",
    }
    for name, address in requests.items():
        running.fetch(address(0))
        _report(name, *_timed(running, log, [address(n) for n in range(TIMES)]))
    # Each of these is worked out anew: such a list was never asked for.
    lists = [f"filter={name}&sort={sort}" for name in FILTERS for sort in SORTS]
    _report("anchors, first time", *_timed(running, log, [f"/api/photos/anchors?{one}" for one in lists]))
    narrowed = [f"technical={n}&{NARROWINGS[n % len(NARROWINGS)]}" for n in range(TIMES)]
    for name in ("anchors", "counts", "facets"):
        took = _timed(running, log, [f"/api/photos/{name}?{one}" for one in narrowed])
        _report(f"{name} of a narrowed list, first time", *took)
    for name, order in (("newest", "id DESC"), ("captured", "captured_at DESC NULLS LAST, id DESC")):
        pages = [_OFFSET.format(order, n * kept["total"] // JUMPS) for n in range(JUMPS)]
        offsets = [_ms(lambda page=page: running.sql(page))[0] for page in pages]
        _report(f"by OFFSET instead, {name}", offsets, offsets)
    running.sql("ALTER SYSTEM RESET log_min_duration_statement")
    running.sql("SELECT pg_reload_conf()")


def _timed(running: Running, log: Path, addresses: list[str]) -> tuple[list[float], list[float]]:
    """Of every request how long it took, and how long PostgreSQL worked for it."""
    whole, queries = [], []
    for address in addresses:
        before = log.stat().st_size
        whole.append(_ms(lambda address=address: running.fetch(address))[0])
        with log.open("rb") as told:
            told.seek(before)
            queries.append(sum(map(float, _EXECUTED.findall(told.read().decode("utf-8", "replace")))))
    return whole, queries


def _report(name: str, whole: list[float], queries: list[float]) -> None:
    (median, p95), (query_median, query_p95) = _cuts(whole), _cuts(queries)
    print(f"  {name:46} {median:8.1f} {p95:8.1f} {query_median:17.1f} {query_p95:8.1f}", flush=True)


def _cuts(values: list[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(values, n=20)
    return cuts[9], cuts[18]


def _ms(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.monotonic()
    result = work()
    return (time.monotonic() - start) * 1000, result


def _pages(browser: Browser, running: Running) -> None:
    page = browser.new_context(viewport=WIDE, bypass_csp=True).new_page()

    def first() -> None:
        page.goto(f"{running.address}/gallery")
        _settled(page)

    def another() -> None:
        page.get_by_role("link", name="Unrated").click()
        page.wait_for_function("() => location.search.includes('unrated')")
        _settled(page)

    def end() -> None:
        page.locator(".card").first.focus()
        page.keyboard.press("End")
        page.wait_for_function("() => scrollY > document.documentElement.scrollHeight - 3 * innerHeight")
        _settled(page)

    print("  milliseconds in the browser, until the photos are painted", flush=True)
    for name, work in (("first page", first), ("another filter", another), ("jump to the end", end)):
        print(f"  {name:46} {_ms(work)[0]:8.0f}", flush=True)
    page.context.close()
    addresses = [item["thumbnail_url"] for item in running.get("/api/photos?limit=500")["items"]]
    page = browser.new_context(viewport=WIDE, bypass_csp=True).new_page()
    page.goto(f"{running.address}/nothing-here")
    images = f"""(addresses) => {{
      const image = (_, n) => `<img loading="lazy" width="220" height="150" src="${{addresses[n % 500]}}">`;
      document.body.innerHTML = Array.from({{ length: {BARE_IMAGES} }}, image).join("");
      return new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    }}"""
    took = _ms(lambda: page.evaluate(images, addresses))[0]
    print(f"  {f'{BARE_IMAGES:,} plain images instead':46} {took:8.0f}", flush=True)
    page.context.close()


def _settled(page: Page) -> list[int]:
    """Waits for all photos in the window; their ids."""
    found: list[int] = page.wait_for_function(_IS_SETTLED, timeout=120_000).json_value()
    return found
