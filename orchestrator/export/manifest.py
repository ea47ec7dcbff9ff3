"""`photos.json`: what lies in the folder, an array with one entry for each picture. What others wrote into it stays.

Between two writings of it, a journal beside it says of each picture what its entry will be and what its bytes are,
before the picture gets its name. So whatever lies there when the power goes is known for what it is.
"""

import errno
import hashlib
import json
import math
import os
import re
import stat
from pathlib import Path
from typing import Any

from orchestrator.export.disk import Disk
from shared.errors import KeepersError

NAME = "photos.json"
JOURNAL = ".keepers-export.journal"
PICTURE_PART, MANIFEST_PART = ".keepers-export.part", ".keepers-export.json.part"

Entry = dict[str, Any]  # Any: JSON
_SAME = ("original_name", "captured_at")
_HASH = re.compile("[0-9a-f]{64}")
_MOST_BYTES = 1_000_000_000  # over a million photos; reading takes ten times as much memory


class ManifestBroken(KeepersError):
    """photos.json cannot be read."""


class Manifest:
    def __init__(self, folder: Path, entries: list[Entry]) -> None:
        self.folder = folder
        self.entries = entries
        self._by_hash = {entry["content_hash"]: entry for entry in entries if _is_text(entry.get("content_hash"))}
        self._by_id = {entry["photo_id"]: entry for entry in entries if type(entry.get("photo_id")) is int}
        self._names = {str(entry.get("filename")).casefold() for entry in entries}

    def find(self, said: Entry) -> Entry | None:
        """The entry of the photo of which this is said: the same bytes or, where a tool wrote into the original since
        or its bytes are not known, the same number, name and moment. Numbers alone are those of one archive."""
        if said["content_hash"] is not None and said["content_hash"] in self._by_hash:
            return self._by_hash[said["content_hash"]]
        entry = self._by_id.get(said["photo_id"])
        return entry if entry is not None and all(entry.get(key) == said[key] for key in _SAME) else None

    def identities(self) -> tuple[set[int], set[str]]:
        """Numbers and contents of the photos that are named."""
        return {one for one in self._by_id if 0 < one < 2**63}, {one for one in self._by_hash if _HASH.fullmatch(one)}

    def has_name(self, name: str) -> bool:
        return name.casefold() in self._names

    def add(self, entry: Entry) -> None:
        self.entries.append(entry)
        self._names.add(str(entry["filename"]).casefold())
        self._by_id[entry["photo_id"]] = entry
        if entry["content_hash"] is not None:
            self._by_hash[entry["content_hash"]] = entry

    def write(self, disk: Disk) -> None:
        """All or nothing; the journal is not needed after it."""
        text = json.dumps(self.entries, ensure_ascii=False, indent=2) + "\n"
        try:
            disk.write(self.folder / MANIFEST_PART, text.encode("utf-8", "replace"))
        except OSError:
            disk.remove(self.folder / MANIFEST_PART)
            raise
        disk.replace(self.folder / MANIFEST_PART, self.folder / NAME)
        disk.remove(self.folder / JOURNAL)


def read(folder: Path) -> Manifest:
    """The manifest of a folder, empty where there is none, with what a stopped export left in its journal.

    Raises ManifestBroken. Changes nothing.
    """
    manifest = Manifest(folder, _entries(folder / NAME))
    for entry, digest in _journal(folder / JOURNAL):
        if manifest.find(entry) is None and _digest(folder / entry["filename"]) == digest:
            manifest.add(entry)
    return manifest


def note(folder: Path, disk: Disk, entry: Entry, data: bytes) -> None:
    """Say in the journal what the next picture is."""
    line = {"entry": entry, "sha256": hashlib.sha256(data).hexdigest()}
    disk.append(folder / JOURNAL, json.dumps(line).encode() + b"\n")


def _entries(path: Path) -> list[Entry]:
    try:
        found = json.loads(_contents(path).decode("utf-8-sig"), parse_float=_number, parse_constant=_number)
    except FileNotFoundError:
        return []
    except (ValueError, RecursionError) as exc:
        raise ManifestBroken(_sentence(path, f"it is not JSON ({exc})")) from exc
    except OSError as exc:
        why = "it is a link to another place" if exc.errno == errno.ELOOP else exc.strerror
        raise ManifestBroken(_sentence(path, why or "it cannot be opened")) from exc
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise ManifestBroken(_sentence(path, "it is not a list of photos"))
    return found


def _number(written: str) -> float:
    """Python would read and write what no other program does."""
    number = float(written)
    if not math.isfinite(number):
        raise ValueError(f"{written} is no number")
    return number


def _sentence(path: Path, why: str) -> str:
    shown = str(path.parent).encode("utf-8", "replace").decode()
    return f"{NAME} in {shown} cannot be read: {why}. Mend it or move it away. Nothing was written."


def _journal(path: Path) -> list[tuple[Entry, str]]:
    """Its whole lines; the last one may be torn."""
    try:
        lines = _contents(path).splitlines()
    except OSError:
        return []
    noted = []
    for line in lines:
        try:
            read_line = json.loads(line)
            entry, digest = read_line["entry"], read_line["sha256"]
            if {"photo_id", "content_hash", "filename", *_SAME} <= entry.keys() and _is_plain(entry):
                noted.append((entry, digest))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return noted


def _is_plain(entry: Entry) -> bool:
    """The name is one in this folder."""
    return _is_text(entry["filename"]) and Path(entry["filename"]).name == entry["filename"]


def _digest(path: Path) -> str | None:
    try:
        return hashlib.sha256(_contents(path)).hexdigest()
    except (OSError, ValueError):  # a name with a NUL is a ValueError
        return None


def _contents(path: Path) -> bytes:
    """Of a file, and of nothing else: a pipe would be waited for, and what a link leads to stays as it was when
    another manifest takes the place of the link. Raises OSError."""
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
        seen = os.fstat(file.fileno())
        if not stat.S_ISREG(seen.st_mode):
            raise OSError(errno.EINVAL, "it is no file")
        if seen.st_size > _MOST_BYTES:
            size, most = seen.st_size // 1_000_000, _MOST_BYTES // 1_000_000
            raise OSError(errno.EFBIG, f"it has {size:,} MB, over the limit of {most:,}")
        return file.read()


def _is_text(value: Any) -> bool:  # Any: JSON
    return isinstance(value, str)
