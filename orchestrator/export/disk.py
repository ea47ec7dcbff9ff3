"""What an export does to a folder, step by step: each step is whole or did not happen, whenever the power goes."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES)


class Busy(OSError):
    """Another process exports into this folder."""


class Disk:
    """The steps themselves. A double of it stops at each of them."""

    def write(self, path: Path, data: bytes) -> None:
        """A new file, on the disk before this returns. One that is there is unlinked, not written into: it may be
        another name of a picture."""
        path.unlink(missing_ok=True)
        self._put(path, data, os.O_EXCL)

    def append(self, path: Path, data: bytes) -> None:
        self._put(path, data, os.O_APPEND)

    def publish(self, temporary: Path, final: Path) -> None:
        """Give a file its name. Raises FileExistsError when somebody has it."""
        try:
            os.link(temporary, final)
        except OSError as exc:
            if exc.errno not in _NO_LINKS:
                raise
            # exFAT and the like know no links, and renaming there takes what has the name away without asking.
            if os.path.lexists(final):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(final)) from exc
            temporary.rename(final)
        else:
            temporary.unlink()

    def replace(self, temporary: Path, final: Path) -> None:
        self.flush(final.parent)  # the pictures have their names before the manifest says so
        temporary.replace(final)
        self.flush(final.parent)

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def flush(self, folder: Path) -> None:
        """Names are on the disk. Some disks do not offer that."""
        with suppress(OSError), _opened(folder) as handle:
            os.fsync(handle)

    def _put(self, path: Path, data: bytes, flag: int) -> None:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | flag, 0o666)
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Nobody else exports into this folder meanwhile. Raises Busy."""
    with _opened(folder) as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise Busy(errno.EBUSY, "another export into it is running") from exc
        except OSError:  # a network disk without locks
            pass
        yield


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield handle
    finally:
        os.close(handle)
