"""A root on a drive of this machine."""

import errno
import os
import stat
from collections.abc import Iterator

from orchestrator.imports.roots import is_empty_or_missing
from orchestrator.imports.walk import Folder, FoundFile, Permissions, walk
from orchestrator.places.place import Place
from shared import quick_hash


class FolderPlace(Place):
    def __init__(self, root: bytes) -> None:
        self._root = root

    def folders(self, top: bytes, after: bytes | None, permissions: Permissions) -> Iterator[Folder]:
        return walk(self._root, top, after, permissions)

    def is_away(self) -> bool:
        return is_empty_or_missing(self._root)

    def has(self, path: bytes) -> bool:
        return os.path.lexists(os.path.join(self._root, path))

    def quick_hash(self, file: FoundFile) -> str:
        descriptor = self._open(file.path)
        try:
            return quick_hash.of_file(descriptor)
        finally:
            os.close(descriptor)

    def read(self, path: bytes, most_bytes: int) -> bytes:
        descriptor = self._open(path)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(errno.EINVAL, "It is no file any more", path)
            return file.read(most_bytes)

    def _open(self, path: bytes) -> int:
        """Never waits for a pipe."""
        return os.open(os.path.join(self._root, path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
