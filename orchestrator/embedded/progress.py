"""How an import is shown on the command line: a bar on a terminal, plain lines elsewhere, then the figures."""

import json
import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO

from orchestrator.embedded.client import Progress

_LINE_EVERY_SECONDS = 10.0


class Reporter:
    """Says what happens to a person, on `stream`."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty()
        self._has_bar = False
        self._started_at = time.monotonic()
        self._last_line_at = float("-inf")

    def say(self, sentence: str) -> None:
        if self._has_bar:
            self._stream.write("\r\x1b[K")
            self._has_bar = False
        print(sentence, file=self._stream, flush=True)

    def show(self, progress: Progress) -> None:
        text = describe(progress, time.monotonic() - self._started_at)
        self.show_share(_decided(progress), progress.found, text)

    def show_share(self, done: int, total: int, text: str) -> None:
        """So many of all, and what to say about it."""
        now = time.monotonic()
        if self._is_terminal:
            bar = f"{_bar(done, total)} {text}"[: shutil.get_terminal_size().columns - 1]
            print(f"\r{bar}\x1b[K", end="", file=self._stream, flush=True)
            self._has_bar = True
        elif now - self._last_line_at >= _LINE_EVERY_SECONDS:
            self._last_line_at = now
            self.say(text)


def describe(progress: Progress, seconds: float) -> str:
    """One line: `120 of 4,000 photos, 12.0 per second, about 5 min left, 2 failed`."""
    if progress.state == "scanning":
        return f"{progress.found:,} photos found so far, {_decided(progress):,} in"
    parts = [f"{_decided(progress):,} of {progress.found:,} photos"]
    rate = progress.done / seconds if seconds > 0 else 0
    if progress.pending and rate:
        parts += [f"{rate:.1f} per second", f"{duration(progress.pending / rate)} left"]
    parts += [f"{count:,} {name}" for name, count in (("failed", progress.failed), ("held", progress.held)) if count]
    for stage, counts in sorted(progress.stages.items()):
        if waiting := counts.get("pending", 0):
            parts.append(f"{waiting:,} to {stage}")
    return ", ".join(parts)


def summary(progress: Progress, dead_lettered: int, seconds: float) -> dict[str, int | float]:
    """What `keepers up --once` says at its end."""
    return {
        "found": progress.found,
        "done": progress.done,
        "skipped": progress.skipped,
        "failed": progress.failed,
        "pending": progress.pending,
        "damaged": progress.damaged,
        "held": progress.held,
        "dead_lettered": dead_lettered,
        "seconds": round(seconds, 2),
    }


def print_summary(figures: dict[str, int | float], as_json: bool, say: Callable[[str], None]) -> None:
    if as_json:
        print(json.dumps(figures), flush=True)
        return
    say(f"{figures['found']:,} photos found in {duration(figures['seconds'])}.")
    say(", ".join(f"{figures[name]:,} {name}" for name in ("done", "skipped", "failed", "pending", "damaged", "held")))
    if figures["dead_lettered"]:
        letters = figures["dead_lettered"]
        say(f"{letters:,} {'message waits' if letters == 1 else 'messages wait'} in the dead letters.")


def _decided(progress: Progress) -> int:
    return progress.done + progress.skipped + progress.failed


def _bar(done: int, total: int, width: int = 24) -> str:
    filled = width * done // total if total else 0
    return f"[{'#' * filled}{'.' * (width - filled)}]"


def duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
