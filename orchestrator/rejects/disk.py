"""The files of one root, reached step by step from its folder, so that no link on the way leads out of it. Renames are
the only thing that is done to them: nothing is copied, written or removed here but empty folders."""

import errno
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from orchestrator.imports.roots import is_empty_or_missing
from orchestrator.imports.walk import DRIVE_GONE
from orchestrator.rejects.renaming import rename
from shared import quick_hash
from shared.errors import KeepersError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_UNPLUGGED = "is not connected any more"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Stays(KeepersError):
    """This file cannot be moved."""


class Taken(Stays):
    """Something has this name already."""


class DriveTrouble(KeepersError):
    """The drive fails: nothing more can be moved there now."""


@dataclass(frozen=True)
class Lying:
    """A file as it lies on the disk."""

    size: int
    mtime_ns: int


class Disk:
    """Open while work goes on. Raises DriveTrouble for what is wrong with the drive, Stays for one file."""

    def __init__(self, root: bytes) -> None:
        self._path = root
        with _told_of_root():
            self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._identity = _identity(os.fstat(self._root))

    def __enter__(self) -> "Disk":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._root)

    def check(self) -> None:
        """Whether this is still the drive that was opened: one may be unplugged, and another one be there."""
        with _told_of_root():
            is_same = _identity(Path(os.fsdecode(self._path)).stat()) == self._identity
        if not is_same or is_empty_or_missing(self._path):
            raise DriveTrouble(_UNPLUGGED)

    def look(self, path: bytes) -> Lying | None:
        """None when nothing is there. Raises Stays for a link and for what is no file."""
        try:
            with _told(), self._folder(os.path.dirname(path)) as folder:
                found = os.stat(os.path.basename(path), dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return None
        if stat.S_ISLNK(found.st_mode):
            raise Stays("is a link to another file")
        if not stat.S_ISREG(found.st_mode):
            raise Stays("is no file any more")
        if found.st_dev != self._identity[0]:
            raise Stays("lies on another drive than its folder of photos")
        return Lying(found.st_size, found.st_mtime_ns)

    def is_free(self, path: bytes) -> bool:
        """Whether nothing at all has this name."""
        try:
            with _told(), self._folder(os.path.dirname(path)) as folder:
                os.stat(os.path.basename(path), dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return True
        return False

    def quick_hash(self, path: bytes) -> str:
        with _told(), self._open(path) as file:
            return quick_hash.of_file(file)

    def content_hash(self, path: bytes) -> str:
        """SHA-256 of all of it."""
        with _told(), self._open(path) as file, os.fdopen(os.dup(file), "rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()

    def names(self, folder: bytes) -> list[bytes]:
        """What lies in a folder; nothing when it is not there."""
        try:
            with _told(), self._folder(folder) as handle:
                return [os.fsencode(name) for name in os.listdir(handle)]  # noqa: PTH208  # of an open folder
        except FileNotFoundError:
            return []

    def move(self, path: bytes, new_path: bytes) -> None:
        """Rename a file, into a folder that is made if need be. Raises Taken when something has that name."""
        try:
            with (
                _told(),
                self._folder(os.path.dirname(path)) as source,
                self._folder(os.path.dirname(new_path), is_made=True) as target,
            ):
                self.rename(source, os.path.basename(path), target, os.path.basename(new_path))
        except FileNotFoundError as exc:
            raise Stays("is not there any more") from exc

    def rename(self, source: int, name: bytes, target: int, new_name: bytes) -> None:
        """The one step that changes where an original lies. A double of it stops here."""
        rename(source, name, target, new_name)

    def flush(self, paths: Iterable[bytes]) -> None:
        """The names in the folders of these files are on the disk. Some disks do not offer that."""
        for path in {os.path.dirname(path) for path in paths}:
            with suppress(OSError, Stays), self._folder(path) as folder:
                os.fsync(folder)

    def remove_empty_folders(self, folder: bytes, top: bytes) -> None:
        """This folder and those around it up to `top`, as far as nothing is in them."""
        while folder == top or folder.startswith(top + b"/"):
            try:
                with self._folder(os.path.dirname(folder)) as outer:
                    os.rmdir(os.path.basename(folder), dir_fd=outer)
            except (OSError, Stays):
                return
            folder = os.path.dirname(folder)

    @contextmanager
    def _open(self, path: bytes) -> Iterator[int]:
        with self._folder(os.path.dirname(path)) as folder:
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
            file = os.open(os.path.basename(path), flags, dir_fd=folder)
        try:
            yield file
        finally:
            os.close(file)

    @contextmanager
    def _folder(self, path: bytes, *, is_made: bool = False) -> Iterator[int]:
        handle = os.dup(self._root)
        try:
            for name in path.split(b"/") if path else ():
                inner = _step(handle, name, is_made=is_made)
                os.close(handle)
                handle = inner
            yield handle
        finally:
            os.close(handle)


def _step(folder: int, name: bytes, *, is_made: bool) -> int:
    if name in (b"", b".", b".."):
        raise Stays("has no place in its folder of photos")
    if is_made:
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=folder)
    try:
        return os.open(name, _FOLDER, dir_fd=folder)
    except OSError as exc:
        if exc.errno in (errno.ELOOP, errno.ENOTDIR):
            raise Stays("lies in a folder that is a link to another place, or none any more") from exc
        raise


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


@contextmanager
def _told_of_root() -> Iterator[None]:
    try:
        with _told():
            yield
    except (FileNotFoundError, Stays) as exc:
        raise DriveTrouble(_UNPLUGGED) from exc


@contextmanager
def _told() -> Iterator[None]:
    """The errors of the system as ours; FileNotFoundError stays what it is."""
    try:
        yield
    except FileNotFoundError:
        raise
    except FileExistsError as exc:
        raise Taken("cannot be moved: something of its name is there already") from exc
    except OSError as exc:
        if exc.errno in _FULL:
            raise DriveTrouble("is full: there is no room for another name") from exc
        if exc.errno == errno.EROFS:
            raise DriveTrouble("can only be read now") from exc
        if exc.errno in DRIVE_GONE:
            raise DriveTrouble(f"is not connected any more, or fails ({os.strerror(exc.errno)})") from exc
        if exc.errno == errno.EXDEV:
            raise Stays("lies on another drive than its folder of photos, and is never copied") from exc
        raise Stays(f"cannot be moved: {os.strerror(exc.errno or 0)}") from exc
