"""`keepers models list` and `keepers models fetch clip`, on the terminal."""

import sys
import time
from pathlib import Path
from typing import TextIO

from orchestrator.embedding.download import Report
from orchestrator.embedding.fetching import NotFetchable, duration, fetch_clip, fetch_plan
from shared.embedding_models import clip_is_fetched, clip_name, clip_weights, starter_name
from shared.errors import KeepersError
from shared.settings import CLIP_MODEL, STARTER_MODEL, Settings

BAR_CHARACTERS = 24


class UnknownModel(KeepersError):
    """There is no model of that name."""


def list_models(settings: Settings, photos: int = 0, out: TextIO | None = None) -> None:
    """Print which models there are, the name their vectors are stored under, and whether they are ready."""
    rows = [
        ("MODEL", "STORED AS", "STATE"),
        (STARTER_MODEL, starter_name(), "ready, came with the installation"),
        (CLIP_MODEL, clip_name(settings), _clip_state(settings, photos)),
    ]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for model, stored_as, state in rows:
        print(f"{model:{widths[0]}}  {stored_as:{widths[1]}}  {state}", file=out or sys.stdout)


def fetch(settings: Settings, name: str, photos: int = 0, out: TextIO | None = None) -> Path:
    """Fetch a model with progress on `out`; where its weights are.

    `photos` is how many the archive has, for the estimate. Raises KeepersError with a sentence to print.
    """
    out = out or sys.stdout
    if name != CLIP_MODEL:
        raise UnknownModel(f"There is no model {name!r} to fetch: only `keepers models fetch {CLIP_MODEL}`.")
    if not clip_is_fetched(settings):
        print(f"CLIP: {fetch_plan(settings, photos)}.", file=out, flush=True)
    weights = fetch_clip(settings, _progress(out))
    print(f"CLIP is ready: {weights}", file=out, flush=True)
    return weights


def _clip_state(settings: Settings, photos: int) -> str:
    if clip_is_fetched(settings):
        return f"ready, {clip_weights(settings)}"
    try:
        return f"not here: `keepers models fetch clip` ({fetch_plan(settings, photos)})"
    except NotFetchable as exc:
        return f"not here: {exc.message}"


def _progress(out: TextIO) -> Report:
    """A bar that rewrites its line on a terminal, a line per tenth elsewhere."""
    started, tenth, first_bytes = time.monotonic(), -1, -1

    def report(done_bytes: int, total_bytes: int) -> None:
        nonlocal tenth, first_bytes
        first_bytes = done_bytes if first_bytes < 0 else first_bytes  # a resumed download did not start at nothing
        line = _line(done_bytes, total_bytes, done_bytes - first_bytes, time.monotonic() - started)
        if out.isatty():
            print(f"\r{_bar(done_bytes, total_bytes)} {line:50}", end="", file=out, flush=True)
            if done_bytes == total_bytes:
                print(file=out)
        elif done_bytes * 10 // total_bytes > tenth:
            tenth = done_bytes * 10 // total_bytes
            print(line, file=out, flush=True)

    return report


def _line(done_bytes: int, total_bytes: int, arrived_bytes: int, seconds: float) -> str:
    line = f"{done_bytes / 1e6:,.0f} of {total_bytes / 1e6:,.0f} MB"
    if arrived_bytes == 0 or seconds == 0:
        return line
    rate = arrived_bytes / seconds
    return f"{line}, {rate / 1e6:.1f} MB/s, {duration((total_bytes - done_bytes) / rate)} left"


def _bar(done_bytes: int, total_bytes: int) -> str:
    filled = done_bytes * BAR_CHARACTERS // total_bytes
    return f"[{'#' * filled}{'.' * (BAR_CHARACTERS - filled)}]"
