"""From the wish for a large picture to its bytes: each size and kind of photo, beside the bare function."""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

import httpx
import numpy as np

from benchmarks.convert import SIZE, make_photos
from benchmarks.system import Running, System
from shared.claims import claim_of
from shared.claims_folder import FolderClaims
from shared.contracts import render
from shared.settings import Settings
from tests.pictures import dng, saved, with_preview
from workers.engines.rendition import render_file
from workers.engines.vips_images import decode

Case = tuple[str, str, render.Size, float | None]  # words, file name, size, aim in milliseconds

CASES: tuple[Case, ...] = (
    ("view of a JPEG", "photo-", "view", None),
    ("view of a RAW with its JPEG", "embedded-", "view", None),
    ("full of a JPEG", "photo-", "full", 300),
    ("full of a RAW with its JPEG", "embedded-", "full", 300),
    ("full of a RAW, developed", "developed-", "full", 2_500),
)


def run(system: System, options: argparse.Namespace) -> None:
    folder = system.folder / "to-render"
    _make(folder, options.rendered)
    bare = {words: _bare(folder, system.folder / "bare", prefix, size) for words, prefix, size, _ in CASES}
    with system.running(["convert", "render"], 1) as running:
        import_id = running.start_import(folder)
        while running.progress(import_id)["state"] != "done":
            time.sleep(0.2)
        photos = dict(running.sql("SELECT file_name, id FROM photos"))
        asked = {words: _asked(running, photos, prefix, size) for words, prefix, size, _ in CASES}
    print(f"render, {options.rendered} photos of 24 megapixels of each kind, in milliseconds: median, p95")
    for words, _, _, aim in CASES:
        wanted = f"   aim {aim:.0f}" if aim else ""
        print(f"  {words:30} function {_figures(bare[words])}   to the browser {_figures(asked[words])}{wanted}")
    print(end="", flush=True)


def _make(folder: Path, count: int) -> None:
    make_photos(folder, count)
    for i, photo in enumerate(sorted(folder.iterdir())):
        pixels = decode(photo.read_bytes(), "JPEG", _any_size).pixels
        raw = dng(pixels)
        small = np.ascontiguousarray(pixels[::4, ::4])
        (folder / f"embedded-{i:05}.dng").write_bytes(with_preview(raw, photo.read_bytes()))
        (folder / f"developed-{i:05}.dng").write_bytes(with_preview(raw, saved(small, "JPEG", quality=90)))


def _any_size(width: int, height: int) -> None:
    assert (width, height) == SIZE


def _bare(folder: Path, home: Path, prefix: str, size: render.Size) -> list[float]:
    settings, claims = Settings(keepers_home=home), FolderClaims(home / "claims")
    preview = claims.put("preview.jpg", saved(np.full((960, 1440, 3), 90, np.uint8), "JPEG"))
    files = sorted(folder.glob(f"{prefix}*"))
    requests = [
        render.Request(
            photo_id=i,
            file_path=claim_of(file),
            root=claim_of(folder),
            root_key="root:1",
            size=size,
            long_edge=max(SIZE),
            preview=preview,
        )
        for i, file in enumerate(files)
    ]
    return [_timed(lambda request=request: render_file(request, settings, claims)) for request in requests]


def _asked(running: Running, photos: dict[str, int], prefix: str, size: render.Size) -> list[float]:
    with httpx.Client(base_url=running.address, timeout=60) as client:
        ids = [photos[name] for name in sorted(photos) if name.startswith(prefix)]
        return [_timed(lambda id_=id_: _picture(client, id_, size)) for id_ in ids]


def _picture(client: httpx.Client, photo_id: int, size: str) -> None:
    """Asked for until it is there, and fetched."""
    while True:
        answer = client.post("/api/renditions", json={"ids": [photo_id], "size": size, "wait_ms": 2_000}).json()
        assert not answer["failed"], answer
        if answer["ready"]:
            client.get(answer["ready"][0]["url"]).raise_for_status()
            return


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def _figures(values: list[float]) -> str:
    return f"{median(values):6.0f} {quantiles(values, n=20)[-1]:6.0f}"
