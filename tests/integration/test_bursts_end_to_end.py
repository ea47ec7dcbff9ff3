"""Bursts through the whole system: files with Exif times, the real converter, embedder, broker and worker."""

import signal
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from orchestrator.samples.photographs import photograph
from tests.pictures import exif_block, saved
from tests.stack import Stack


def frame(folder: Path, name: str, taken: str, shift: float = 0, bias: float = 0) -> None:
    """A frame of the photograph that the name begins with, taken at "10:00:03.25"."""
    image = photograph(name.partition("-")[0])
    moved = image.crop((int(image.width * shift), 0, int(image.width * (0.9 + shift)), image.height))
    moved.thumbnail((720, 720))
    clock, _, subseconds = taken.partition(".")
    details = {0x9003: f"2024:05:04 {clock}", 0x9291: subseconds or "0", 0x9204: bias}
    block = exif_block({0x010F: "Canon", 0x0110: "EOS R6"}, details)
    lit = np.clip(np.asarray(moved) * 2.0 ** (bias / 2), 0, 255).astype(np.uint8)
    (folder / f"{name}.jpg").write_bytes(saved(Image.fromarray(lit), "JPEG", exif=block, quality=92))


def bursts(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = stack.client.get("/api/bursts").json()
    return found


def stems(item: dict[str, Any]) -> list[str]:
    return [shown["file_name"].removesuffix(".jpg") for shown in item["frames"]]


def test_an_import_ends_with_its_bursts_also_when_the_orchestrator_is_killed_meanwhile(stack: Stack) -> None:
    for n, taken in enumerate(("10:00:00.10", "10:00:00.60", "10:00:01.10", "10:00:05.90")):
        frame(stack.photos, f"cat-{n}", taken, shift=0.01 * n)
    for n, bias in enumerate((0.0, -0.7, 0.7)):
        frame(stack.photos, f"coffee-{n}", f"10:05:0{n}", bias=bias)
    frame(stack.photos, "palace-0", "10:00:01.30")
    frame(stack.photos, "dahlia-0", "10:09:00")
    orchestrator = stack.orchestrator()
    workers = stack.workers("convert", "embed")
    stack.settled(stack.start_import())
    out = "SELECT 1 FROM stage_runs WHERE stage = 'bursts' AND state = 'published'"
    stack.wait(lambda: stack.sql(out), "the search to be with the broker")
    assert bursts(stack)["search"]["is_running"]

    stack.stop(orchestrator, signal.SIGKILL)
    finder = stack.workers("bursts")
    stack.orchestrator()
    stack.wait(lambda: not bursts(stack)["search"]["is_running"], "the bursts to be found")
    found = bursts(stack)
    assert found["totals"] == {"photos": 7, "groups": 2, "brackets": 1}
    bracket, burst = found["items"]
    assert (bracket["kind"], stems(bracket)) == ("bracket", ["coffee-0", "coffee-1", "coffee-2"])
    assert (burst["kind"], stems(burst)) == ("burst", ["cat-0", "cat-1", "cat-2", "cat-3"])
    assert burst["started_at"] == "2024-05-04T10:00:00.100000"
    best = max(burst["frames"], key=lambda shown: float(shown["sharpness"]))
    assert burst["best_id"] == best["id"]

    assert stack.client.post(f"/api/bursts/{burst['id']}/keep-best").json()["rejected"] == 3
    frame(stack.photos, "cat-4", "10:00:03", shift=0.02)
    stack.settled(stack.start_import())
    stack.wait(lambda: bursts(stack)["totals"]["photos"] == 5, "the new frame to join the one that was kept")
    (joined,) = [item for item in bursts(stack)["items"] if item["kind"] == "burst"]
    assert (joined["id"], joined["best_id"]) == (burst["id"], burst["best_id"])
    assert set(stems(joined)) == {"cat-4", best["file_name"].removesuffix(".jpg")}
    stack.stop(finder)
    stack.stop(workers)
