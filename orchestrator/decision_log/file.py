"""The end of the log on disk: how far it is, and adding to it so that no line is ever lost, doubled or torn."""

import os
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from orchestrator.decision_log.lines import Line, parsed, read
from shared.errors import KeepersError

_TAIL_BYTES = 1 << 20


class Unwritable(KeepersError):
    """The log of decisions cannot be written."""


@dataclass(frozen=True)
class Writer:
    """The database that writes. Up to `begins_after` its events are those of its `parent`."""

    id: UUID
    parent: UUID | None
    begins_after: int


def reached(file: Path, writer: Writer) -> int:
    """The last event that the log has. A line that a kill or a full disk left torn is taken away first. Raises
    Unwritable."""
    try:
        last = _last_line(file)
    except FileNotFoundError:
        return 0
    except OSError as exc:
        raise _unwritable(file, exc) from exc
    if last is not None and last.log == writer.id:
        return last.event
    events: dict[UUID | None, int] = {}
    for _, line in read(file):  # another database has written since: after a restore, once
        if line is not None:
            events[line.log] = max(events.get(line.log, 0), line.event)
    return events.get(writer.id) or min(events.get(writer.parent, 0), writer.begins_after)


def append(file: Path, lines: bytes) -> None:
    """On disk, not only on its way there, when this returns. Raises Unwritable."""
    is_new = not file.exists()
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)  # it says what the photos show
        with os.fdopen(descriptor, "ab") as opened:
            opened.write(lines)
            opened.flush()
            os.fsync(opened.fileno())
        if is_new:
            _sync_folder(file.parent)
    except OSError as exc:
        raise _unwritable(file, exc) from exc


def _last_line(file: Path) -> Line | None:
    with open(file, "r+b") as opened:
        size = opened.seek(0, os.SEEK_END)
        opened.seek(start := max(0, size - _TAIL_BYTES))
        tail = opened.read()
        whole, newline, torn = tail.rpartition(b"\n")
        if torn:
            opened.truncate(start + len(whole) + len(newline))
    found = (parsed(data) for data in reversed(whole.split(b"\n")))
    return next((line for line in found if line is not None), None)


def _unwritable(file: Path, error: OSError) -> Unwritable:
    return Unwritable(f"{file} cannot be written: {error.strerror or error}.")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
