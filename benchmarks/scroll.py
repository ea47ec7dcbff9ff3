"""The memory of the browser while thumbnails of a large archive are scrolled through, one window after the other.

Chromium keeps decoded pictures up to a bound of its own, whatever a page does, and gives them back when memory is
short. So memory is told twice: all of it, and what is left after the browser was asked to give back what it can. The
baseline is a page of nothing but rows of such thumbnails, ten at a time. What is neither its own nor shared is the
program itself, as it lies on disk.
"""

import argparse
import json
import re
import time
from collections import Counter
from pathlib import Path

from benchmarks.archive import fill
from benchmarks.devtools import Tab, tab
from benchmarks.system import Running, System

_IS_SPANNED = """new Promise((done) => {
  const look = () => document.getElementById("grid")?.offsetHeight > 20 * innerHeight ? done() : setTimeout(look, 50);
  look();
})"""
_SCROLL = """(async () => {
  const isOnScreen = (row) => row.getBoundingClientRect().bottom > 0 && row.getBoundingClientRect().top < innerHeight;
  const shown = () => [...document.querySelectorAll(".row")].filter(isOnScreen);
  const images = (row) => [...row.querySelectorAll("img")];
  const isThere = (row) => !row.matches(".waiting") && images(row).every((image) => image.complete);
  let last = new Set((globalThis.last ??= []));
  globalThis.photos ??= 0;
  for (let at = -1; photos < UNTIL && at !== scrollY; ) {
    at = scrollY;
    while (!shown().length || !shown().every(isThere)) await new Promise((done) => setTimeout(done, 10));
    const ids = shown().flatMap((row) => [...row.querySelectorAll(".card")].map((card) => Number(card.dataset.id)));
    photos += ids.filter((id) => !last.has(id)).length;
    last = new Set((globalThis.last = ids)); // of two windows alone: counting is to cost no memory
    scrollBy(0, innerHeight * 0.8);
    await new Promise(requestAnimationFrame);
  }
  return photos;
})()"""
_BARE_ROWS = """(async (addresses) => {
  const box = document.body.appendChild(document.createElement("div"));
  box.style = `position: relative; height: ${addresses.length / 4 * 230}px`;
  for (let n = 0; n * 4 < addresses.length; n += 1) {
    const row = box.appendChild(document.createElement("div"));
    row.style = `position: absolute; top: ${n * 230}px`;
    for (const address of addresses.slice(n * 4, n * 4 + 4)) row.appendChild(new Image(300, 220)).src = address;
    await Promise.all([...row.children].map((image) => image.decode()));
    if (box.children.length > 10) box.firstChild.remove();
    scrollTo(0, box.offsetTop + (n - 3) * 230);
    await new Promise(requestAnimationFrame);
  }
})"""
BARE = 2_000  # thumbnails: with so many the browser's own cache is full
_PART = re.compile(r"^(Pss|Pss_Anon|Pss_Shmem):\s+(\d+)", re.M)


def run(system: System, options: argparse.Namespace) -> None:
    with system.running([], workers=0) as running:
        fill(system.database_url, options.archive, running.home / "claims")
        print(f"scroll, {options.archive:,} photos; megabytes of all processes of the browser", flush=True)
        with tab(running.home / "profile") as page:
            _gallery(running, page, options.scrolled)
        with tab(running.home / "another") as page:  # the first one goes on as if memory were short
            _bare_rows(running, page)


def _gallery(running: Running, page: Tab, scrolled: int) -> None:
    page.open(f"{running.address}/gallery")
    page.evaluate(_IS_SPANNED)
    page.evaluate(_SCROLL.replace("UNTIL", "50"))
    start = time.monotonic()
    _say("at the start", page)
    for tenth in range(1, 11):
        photos = page.evaluate(_SCROLL.replace("UNTIL", str(scrolled * tenth // 10)))
        _say(f"after {photos:,}", page, f"{photos / (time.monotonic() - start):.0f} photos/s")
    _give_back(page)
    _say("and given back", page)


def _bare_rows(running: Running, page: Tab) -> None:
    page.open(f"{running.address}/nothing-here")
    _say("a bare page", page)
    found = running.get("/api/photos?limit=500")
    photos = found["items"]
    while len(photos) < BARE and found["next"]:
        found = running.get(f"/api/photos?limit=500&after={found['next']}")
        photos += found["items"]
    page.evaluate(f"{_BARE_ROWS}({json.dumps([photo['thumbnail_url'] for photo in photos])})")
    _say(f"after {len(photos):,}", page)


def _give_back(page: Tab) -> None:
    """What memory that grows short makes a browser do."""
    page.send("Memory.simulatePressureNotification", level="critical")
    page.ask_browser("Memory.simulatePressureNotification", level="critical")
    time.sleep(5)


def _say(when: str, page: Tab, speed: str = "") -> None:
    page.send("Performance.enable")
    for _ in range(2):
        page.send("HeapProfiler.collectGarbage")
    metrics = {one["name"]: one["value"] for one in page.send("Performance.getMetrics")["metrics"]}
    parts = _megabytes(page)
    print(
        f"  {when:20} {parts['Pss']:6.0f}, its own {parts['Pss_Anon']:4.0f}, shared {parts['Pss_Shmem']:4.0f};"
        f" {metrics['JSHeapUsedSize'] / 1e6:5.1f} of JavaScript, {metrics['Nodes']:6,.0f} nodes   {speed}",
        flush=True,
    )


def _megabytes(page: Tab) -> Counter[str]:
    """What its processes have of the machine's memory, what they share counted once (PSS; Linux). Decoded pictures
    lie in memory that the page and the browser share."""
    parts: Counter[str] = Counter()
    for process in page.ask_browser("SystemInfo.getProcessInfo")["processInfo"]:
        for name, kilobytes in _PART.findall(Path(f"/proc/{process['id']}/smaps_rollup").read_text()):
            parts[name] += int(kilobytes) // 1000
    return parts
