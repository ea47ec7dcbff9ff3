"""How a supervisor says that it and its workers are well: a small file, written anew every few seconds."""

import time
from collections.abc import Iterable
from pathlib import Path

import structlog
from pydantic import BaseModel, ValidationError

log = structlog.get_logger()

EVERY_SECONDS = 5
SILENT_SECONDS = 30  # a drain, during which nothing is written, is shorter
CUT_OFF_SECONDS = 120  # a worker that loads torch from a slow disk connects after half of that


class Beat(BaseModel):
    """What the file holds. All times are seconds of CLOCK_MONOTONIC."""

    at: float
    connected: list[tuple[str, float]]  # of each worker its stages, and when it was last connected to the broker


class Heartbeat:
    """Written by one supervisor for as long as it lives."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._since = time.monotonic()
        self._due = 0.0

    def write(self, last_beats: Iterable[tuple[tuple[str, ...], float]]) -> None:
        """At most every EVERY_SECONDS: of each worker its stages and its last beat, 0 before the first."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + EVERY_SECONDS
        beat = Beat(at=now, connected=[("+".join(stages), max(last, self._since)) for stages, last in last_beats])
        unfinished = self._file.with_name(f"{self._file.name}.new")
        try:
            unfinished.write_text(beat.model_dump_json())
            unfinished.replace(self._file)
        except OSError as exc:
            log.warning("heartbeat.not_written", file=str(self._file), error=str(exc))

    def end(self) -> None:
        self._file.unlink(missing_ok=True)


def complaint(file: Path) -> str | None:
    """What is wrong with the supervisor that writes this file, as a sentence; None when all is well."""
    try:
        beat = Beat.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return f"No workers run here: there is no {file}."
    except (OSError, ValidationError) as exc:
        return f"{file} cannot be read: {exc}."
    now = time.monotonic()
    if not 0 <= now - beat.at < SILENT_SECONDS:  # a file from before this machine started may lie ahead
        return f"The supervisor of the workers has not been heard of for {abs(now - beat.at):.0f} s."
    cut_off = [f"{stages} for {now - last:.0f} s" for stages, last in beat.connected if now - last > CUT_OFF_SECONDS]
    return f"Not connected to the broker: {', '.join(cut_off)}." if cut_off else None
