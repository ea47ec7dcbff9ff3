"""A root in a bucket. What a disk calls folders are the beginnings of keys here: all below one is listed in one go."""

import errno
import os
from collections import defaultdict
from collections.abc import Callable, Iterator

from orchestrator.imports.walk import (
    Folder,
    FoundFile,
    Permissions,
    beside,
    is_set_aside,
    leave_alone,
    pair,
)
from orchestrator.places.place import Place
from shared.formats import IMAGE_EXTENSIONS, SIDECAR_EXTENSION, extension_of
from shared.originals_bucket import Changed, OriginalsBucket

PORTION = 1_000  # files that are handed on at once, and few more: of a bucket nothing else is held in memory
AT_ONCE = 16  # an answer takes some ten milliseconds, whoever asks
_WANTED = IMAGE_EXTENSIONS | {SIDECAR_EXTENSION}


class BucketPlace(Place):
    """`is_own`: whether a key belongs to Keepers itself, which keeps previews in the same bucket."""

    at_once = AT_ONCE

    def __init__(self, bucket: OriginalsBucket, is_own: Callable[[str], bool]) -> None:
        self._bucket = bucket
        self._is_own = is_own

    def folders(self, top: bytes, after: bytes | None, permissions: Permissions) -> Iterator[Folder]:
        """Portions instead of folders, named after their last key. The files of one photo are not parted: their keys
        follow each other, as the store lists keys in order."""
        files: list[FoundFile] = []
        portion, last = Folder(after or b""), b""
        for key, seen in self._bucket.files(top.decode(), after.decode() if after else None):
            path, kind = key.encode(), "" if self._is_hidden(key) else extension_of(key)
            if seen.size:  # what stands for a folder has lost the slash that it was listed by
                _check_order(last, path)
            if kind in _WANTED:
                if _is_enough(files, path):
                    yield _filled(portion, files)
                    files, portion = [], Folder(last)
                files.append(FoundFile(path, seen.size, seen.mtime_ns))
            elif seen.size and not self._is_hidden(key):
                leave_alone(portion.left_alone, kind or "other")
            portion.path = last = max(last, path)
        yield _filled(portion, files)

    def is_away(self) -> bool:
        """A bucket that answers is there, however little is in it."""
        return False

    def has(self, path: bytes) -> bool:
        try:
            self._bucket.look(path.decode())
        except FileNotFoundError:
            return False
        except PermissionError:
            return True
        return True

    def quick_hash(self, file: FoundFile) -> str:
        try:
            return self._bucket.quick_hash(file.path.decode(), file.size)
        except Changed as exc:
            raise OSError("It was replaced while it was read") from exc

    def read(self, path: bytes, most_bytes: int) -> bytes:
        return self._bucket.part(path.decode(), 0, most_bytes).data

    def _is_hidden(self, key: str) -> bool:
        is_dotted = key.startswith(".") or "/." in key
        return is_dotted or is_set_aside(key.encode()) or self._is_own(key)


def _filled(portion: Folder, files: list[FoundFile]) -> Folder:
    folders: dict[bytes, list[FoundFile]] = defaultdict(list)
    for file in files:
        folders[os.path.dirname(file.path)].append(file)
    for inside in folders.values():
        images = [file for file in inside if extension_of(file.path) != SIDECAR_EXTENSION]
        sidecars = [file for file in inside if extension_of(file.path) == SIDECAR_EXTENSION]
        units, strays = beside(pair(images), sidecars)
        portion.units += units
        for _ in strays:
            leave_alone(portion.left_alone, SIDECAR_EXTENSION)
    return portion


def _is_enough(files: list[FoundFile], path: bytes) -> bool:
    """Whether a portion may end before this file: it is of another photo than the last one."""
    return len(files) >= PORTION and (_stem(files[-1].path) != _stem(path) or len(files) >= 10 * PORTION)


def _stem(path: bytes) -> bytes:
    """Up to the first dot: what files of one photo share, and only keys that follow each other."""
    folder, name = os.path.split(path)
    return os.path.join(folder, name.partition(b".")[0])


def _check_order(last: bytes, path: bytes) -> None:
    if path <= last:
        raise OSError(errno.EIO, "the object store does not list it in the order of names")
