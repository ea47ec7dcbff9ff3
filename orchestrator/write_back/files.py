"""Sidecars on disk: which lie beside a photo, and writing one so that at no moment half a file is there."""

import contextlib
import os
import stat
import threading
from collections.abc import Iterable
from pathlib import Path

from orchestrator.imports.walk import FoundFile
from shared.errors import XmpBroken
from shared.formats import IMAGE_EXTENSIONS, RAW_EXTENSIONS, SIDECAR_EXTENSION, extension_of
from shared.xmp import MOST_BYTES, check_size


class NotWritten(XmpBroken):
    """This file was not written."""


def at(root: bytes, path: bytes) -> Path:
    return Path(os.fsdecode(os.path.join(root, path)))


def found(root: bytes, paths: Iterable[bytes]) -> dict[bytes, FoundFile]:
    """Those of these files that are there."""
    files = {}
    for path in paths:
        with contextlib.suppress(OSError):
            seen = at(root, path).stat()
            files[path] = FoundFile(path, seen.st_size, seen.st_mtime_ns)
    return files


def names_in(root: bytes, folder: bytes) -> frozenset[bytes]:
    """What lies in a folder, in lower case, as a drive may not tell the cases apart."""
    try:
        return frozenset(os.fsencode(entry.name).lower() for entry in at(root, folder).iterdir())
    except OSError:
        return frozenset()


def is_raw(path: bytes) -> bool:
    return extension_of(path) in RAW_EXTENSIONS


def possible_names(original: bytes, names: frozenset[bytes]) -> list[bytes]:
    """What a new sidecar of this original may be called, the best first.

    Most XMP files in its folder say whether `a.xmp` or `a.nef.xmp` is meant. Where there are none it is `a.xmp` for
    RAW. Where another photo is called `a` too, only `a.nef.xmp` is clear.
    """
    short, long = _stem(original) + b".xmp", original + b".xmp"
    own = os.path.basename(original).lower()
    rivals = RAW_EXTENSIONS if is_raw(original) else IMAGE_EXTENSIONS  # the JPEG of a RAW is the same photo
    if any(_stem(name) == _stem(own) and name != own and extension_of(name) in rivals for name in names):
        return [long]
    styles = [
        extension_of(_stem(name)) in IMAGE_EXTENSIONS for name in names if extension_of(name) == SIDECAR_EXTENSION
    ]
    is_long = sum(styles) * 2 > len(styles) if styles else not is_raw(original)
    return [long, short] if is_long else [short, long]


def check_inside(root: bytes, path: bytes) -> None:
    """Raises NotWritten when a folder on the way has become a link: imports do not follow those either."""
    folder = os.path.dirname(path)
    if os.path.realpath(at(root, folder)) != os.path.join(os.path.realpath(at(root, b"")), os.fsdecode(folder)).rstrip(
        "/"
    ):
        raise NotWritten("Its folder is a link to another place.")


def read(path: Path) -> tuple[bytes, os.stat_result]:
    """What a sidecar says, and how it lay on disk then. Raises NotWritten for what is not to be replaced."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as file:
        seen = os.fstat(descriptor)
        if not stat.S_ISREG(seen.st_mode):
            raise NotWritten("It is no file.")
        if not seen.st_mode & stat.S_IWUSR:
            raise NotWritten("It is write-protected.")
        check_size(seen.st_size)
        return file.read(MOST_BYTES + 1), seen


def replace(path: Path, packet: bytes, as_read: os.stat_result | None) -> os.stat_result:
    """Put a whole new file in the place of this one, with its mode; `as_read` None makes one where none is. Raises
    NotWritten when somebody else wrote it in the meantime."""
    # Imports pass over dot-files. A thread of a writer that was given up may still be at work beside this one.
    temporary = path.with_name(f".keepers-{os.getpid()}-{threading.get_ident():x}.tmp")
    try:
        _write(temporary, packet, path)
        _check_unchanged(path, as_read)
        temporary.rename(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync(path.parent)
    return path.stat()


def trouble_with(root: bytes) -> str | None:
    """Why nothing can be written there; None when it can."""
    try:
        is_read_only = bool(os.statvfs(root).f_flag & os.ST_RDONLY) or not os.access(root, os.W_OK)
    except OSError as exc:
        return f"cannot be reached: {os.strerror(exc.errno or 0)}"
    return "can only be read" if is_read_only else None


def _write(temporary: Path, packet: bytes, like: Path) -> None:
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    with os.fdopen(descriptor, "wb") as file:
        with contextlib.suppress(FileNotFoundError):
            model = like.stat()
            os.fchmod(descriptor, stat.S_IMODE(model.st_mode))
            with contextlib.suppress(PermissionError):
                os.fchown(descriptor, model.st_uid, model.st_gid)
        file.write(packet)
        file.flush()
        os.fsync(descriptor)


def _check_unchanged(path: Path, as_read: os.stat_result | None) -> None:
    try:
        seen = path.lstat()
    except FileNotFoundError:
        if as_read is not None:
            raise NotWritten("It was removed in the meantime.") from None
        return
    if as_read is None or (seen.st_size, seen.st_mtime_ns) != (as_read.st_size, as_read.st_mtime_ns):
        raise NotWritten("Another program wrote it in the meantime.")


def _sync(folder: Path) -> None:
    """So that the new name survives a loss of power too."""
    with contextlib.suppress(OSError):  # not every file system can
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _stem(path: bytes) -> bytes:
    return path.rpartition(b".")[0]
