"""Reading an original once, whole, and telling a broken file from a drive that went away."""

import errno
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from shared import quick_hash
from shared.claims import path_of
from shared.claims_folder import FolderClaims
from shared.errors import CorruptFile, FileVanished, Reject, Retry, RootOffline, TooLarge
from workers.domain.names import printable_name
from workers.fetching import fetching

MOST_BYTES = 2 * 1024**3  # the largest medium-format RAW and stitched TIFF stay well below
_DRIVE_GONE = (errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ENXIO, errno.ENODEV, errno.EHOSTDOWN, errno.ETIMEDOUT)
_FORBIDDEN = (errno.EACCES, errno.EPERM)
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)


class OnRoot(Protocol):
    """A request about a file that lies on a drive."""

    @property
    def root(self) -> str: ...
    @property
    def root_key(self) -> str: ...


@dataclass(frozen=True)
class Original:
    data: bytes
    size: int
    mtime_ns: int
    content_hash: str
    quick_hash: str


def read(claim: str, request: OnRoot, claims: FolderClaims) -> Original:
    """The bytes behind `claim`, of the file or of its companion, with their hashes.

    Raises FileVanished, CorruptFile, TooLarge, Reject, Retry, RootOffline, OutsideRoots.
    """
    name = printable_name(claim)
    try:
        # Never follows a name into a pipe or a device that would block for ever.
        descriptor = os.open(claims.path(claim), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        try:
            return _read(descriptor, name)
        finally:
            os.close(descriptor)
    except OSError as exc:
        raise _verdict(exc, name, request) from exc


def too_large(name: str, size: int) -> TooLarge:
    return TooLarge(f"{name} has {size / 1024**3:.1f} GB, over the limit of {MOST_BYTES // 1024**3} GB.")


def _read(descriptor: int, name: str) -> Original:
    before = os.fstat(descriptor)
    if not stat.S_ISREG(before.st_mode):
        raise Reject(f"{name} is not a file but a folder, a pipe or a device.")
    if before.st_size > MOST_BYTES:
        raise too_large(name, before.st_size)
    if before.st_size == 0:
        raise CorruptFile(f"{name} is empty: it has no bytes.")
    with fetching(), os.fdopen(descriptor, "rb", buffering=0, closefd=False) as file:
        data = file.readall()
    after = os.fstat(descriptor)
    if len(data) != before.st_size or (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise Retry(f"{name} changed while it was read.")
    quick = quick_hash.of_bytes(data[: quick_hash.END_BYTES], data[-quick_hash.END_BYTES :], len(data))
    return Original(data, len(data), before.st_mtime_ns, hashlib.sha256(data).hexdigest(), quick)


def _verdict(error: OSError, name: str, request: OnRoot) -> Exception:
    """Whose fault it is: the file's, or that of the drive it lies on."""
    root = path_of(request.root)
    if error.errno in _DRIVE_GONE or (error.errno in (*_NOT_THERE, *_FORBIDDEN) and _is_offline(root)):
        return RootOffline(
            f"{printable_name(request.root) or '/'} is not connected or cannot be read.", key=request.root_key
        )
    if error.errno in _NOT_THERE:
        return FileVanished(f"{name} is not there any more.")
    if error.errno in _FORBIDDEN:
        return Reject(f"Keepers has no permission to read {name}.")
    return Retry(f"{name} cannot be read: {os.strerror(error.errno or 0)}.")


def _is_offline(root: Path) -> bool:
    """A mount point without its drive is missing, empty, or closed to us."""
    try:
        with os.scandir(root) as entries:
            return next(entries, None) is None
    except OSError:
        return True
