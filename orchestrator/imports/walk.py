"""Walking a folder tree: what photographs are there, in an order that can be taken up again. Opens no file."""

import errno
import os
import stat
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, field, replace

from shared.formats import COMPANION_EXTENSIONS, IMAGE_EXTENSIONS, RAW_EXTENSIONS, SIDECAR_EXTENSION, extension_of

MAX_LEFT_ALONE_KINDS = 50
SET_ASIDE = b"_keepers_rejected"  # the folder of originals that were set aside: no import looks into it
DRIVE_GONE = (errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ENXIO, errno.ENODEV, errno.EHOSTDOWN, errno.ETIMEDOUT)


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A supported file: path relative to the root, in bytes."""

    path: bytes
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Unit:
    """One photograph as it lies on disk: a file, or a RAW with the JPEG of the same name beside it."""

    main: FoundFile
    companion: FoundFile | None = None
    sidecars: tuple[FoundFile, ...] = ()  # `a.xmp` and `a.ext.xmp`


@dataclass
class Folder:
    """What lies directly in one folder."""

    path: bytes
    units: list[Unit] = field(default_factory=list)
    left_alone: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Permissions:
    """What a walk may enter, and which targets of links it may take."""

    may_enter: Callable[[bytes], bool]
    may_follow: Callable[[bytes], bool]


def walk(root: bytes, top: bytes, after: bytes | None, permissions: Permissions) -> Iterator[Folder]:
    """Folders of `root`/`top`, depth first, names in byte order, those up to and including `after` left out.

    Dot-files and `._` forks are skipped. Links to folders are not followed: their files are found where they lie,
    and loops cannot happen. A folder that cannot be read is counted as left alone. Raises OSError when the trouble
    is not that folder's but that of the whole tree: it is gone or empty, or its drive fails.
    """
    done = None if after is None else _parts(after)
    pending = [top]
    while pending:
        path = pending.pop()
        if done is not None and _parts(path) != done[: len(_parts(path))] and _parts(path) < done:
            continue
        folder = Folder(path)
        try:
            inner = _read(root, folder, permissions)
        except OSError as exc:
            if path == top:
                raise
            _raise_if_drive_gone(exc, root, top)
            folder.left_alone["unreadable folder"] += 1
            inner = []
        pending.extend(sorted(inner, reverse=True))
        if done is None or _parts(path) > done:
            yield folder


def look(root: bytes, path: bytes, names: Set[bytes], permissions: Permissions) -> Folder:
    """Some photographs of one folder: those whose files have these `name_of_photo`. Raises OSError when it cannot be
    read."""
    folder = Folder(path)
    _read(root, folder, permissions, names)
    return folder


def is_set_aside(path: bytes) -> bool:
    """Whether this is the folder of originals that were set aside, or lies in it."""
    return SET_ASIDE in path.split(b"/")


def name_of_photo(path: bytes) -> bytes:
    """What the files of one photograph have in common: `a` for `A.NEF`, `a.jpg`, `a.xmp` and `a.nef.xmp`."""
    name = os.path.basename(path).lower()
    if extension_of(name) == SIDECAR_EXTENSION:
        owner = _stem(name)
        return _stem(owner) if extension_of(owner) in IMAGE_EXTENSIONS else owner
    return _stem(name)


def _raise_if_drive_gone(error: OSError, root: bytes, top: bytes) -> None:
    """A mount point without its drive is missing or empty: then nothing below it was looked at."""
    if error.errno in DRIVE_GONE:
        raise error
    for folder in {root, os.path.join(root, top)}:
        with os.scandir(folder) as entries:
            if next(entries, None) is None:
                raise FileNotFoundError(errno.ENOENT, "it is empty now", folder)


def _parts(path: bytes) -> tuple[bytes, ...]:
    return tuple(path.split(b"/")) if path else ()


def _read(root: bytes, folder: Folder, permissions: Permissions, names: Set[bytes] | None = None) -> list[bytes]:
    """Fills `folder`, with all photographs or those of these names; returns the folders inside it."""
    inner: list[bytes] = []
    files: list[FoundFile] = []
    sidecars: list[FoundFile] = []
    trouble: OSError | None = None
    with os.scandir(os.path.join(root, folder.path)) as entries:
        for entry in entries:
            if entry.name.startswith(b".") or (names is not None and name_of_photo(entry.name) not in names):
                continue
            path = os.path.join(folder.path, entry.name) if folder.path else entry.name
            try:
                if entry.is_dir(follow_symlinks=False):
                    inner += [path] if permissions.may_enter(entry.path) else []
                elif (extension := extension_of(entry.name)) in IMAGE_EXTENSIONS:
                    files += _file(entry, path, folder.left_alone, permissions)
                elif extension == SIDECAR_EXTENSION:
                    sidecars += _file(entry, path, folder.left_alone, permissions)
                else:
                    leave_alone(folder.left_alone, "link to a folder" if entry.is_dir() else extension or "other")
            except OSError as exc:
                trouble = exc
                leave_alone(folder.left_alone, "unreadable file")
    if trouble is not None:
        _raise_if_drive_gone(trouble, root, folder.path)
    folder.units, strays = beside(pair(files), sidecars)
    for _ in strays:
        leave_alone(folder.left_alone, SIDECAR_EXTENSION)
    return inner


def _file(
    entry: "os.DirEntry[bytes]", path: bytes, left_alone: Counter[str], permissions: Permissions
) -> list[FoundFile]:
    found = entry.stat()
    if not stat.S_ISREG(found.st_mode):
        leave_alone(left_alone, "link to a folder" if stat.S_ISDIR(found.st_mode) else "not a file")
    elif entry.is_symlink() and not permissions.may_follow(os.path.realpath(entry.path)):
        leave_alone(left_alone, "link out of the folder")
    else:
        return [FoundFile(path, found.st_size, found.st_mtime_ns)]
    return []


def leave_alone(left_alone: Counter[str], kind: str) -> None:
    """Count one. Kinds are extensions from strangers' file names: few and short ones are named, the rest is "other"."""
    is_nameable = kind.isascii() and kind.isprintable() and len(kind) <= 24
    left_alone[kind if is_nameable and len(left_alone) < MAX_LEFT_ALONE_KINDS else "other"] += 1


def pair(files: list[FoundFile]) -> list[Unit]:
    """Units of one folder, in byte order: a RAW takes the JPEG or HEIC of its stem, the first RAW if several could."""
    files = sorted(files, key=lambda file: file.path)
    companions = {_stem(file.path): file for file in reversed(files) if extension_of(file.path) in COMPANION_EXTENSIONS}
    units: list[Unit] = []
    taken: set[bytes] = set()
    for file in files:
        if extension_of(file.path) in RAW_EXTENSIONS:
            companion = companions.pop(_stem(file.path), None)
            units.append(Unit(file, companion))
            taken |= {companion.path} if companion else set()
    units += [Unit(file) for file in files if extension_of(file.path) not in RAW_EXTENSIONS and file.path not in taken]
    return sorted(units, key=lambda unit: unit.main.path)


def beside(units: list[Unit], sidecars: list[FoundFile]) -> tuple[list[Unit], list[FoundFile]]:
    """The units of one folder with their sidecars, and the sidecars of photos that are not there.

    `a.nef.xmp` belongs to `a.nef`, `a.xmp` to what is called `a`: the RAW if there is one. Upper and lower case are
    told apart only where both are there.
    """
    if not sidecars:
        return units, []
    raws_first = sorted(enumerate(units), key=lambda one: extension_of(one[1].main.path) not in RAW_EXTENSIONS)
    paths = [(file.path, at) for at, unit in raws_first for file in (unit.main, unit.companion) if file]
    names = [*paths, *((_stem(path), at) for path, at in paths)]
    owners: dict[bytes, int] = {}
    for name, at in [*names, *((name.lower(), at) for name, at in names)]:
        owners.setdefault(name, at)
    owned: dict[int, list[FoundFile]] = defaultdict(list)
    strays: list[FoundFile] = []
    for file in sorted(sidecars, key=lambda file: file.path):
        name = _stem(file.path)
        owner = owners.get(name, owners.get(name.lower()))
        (strays if owner is None else owned[owner]).append(file)
    return [replace(unit, sidecars=tuple(owned.get(at, ()))) for at, unit in enumerate(units)], strays


def _stem(path: bytes) -> bytes:
    return path.rpartition(b".")[0]
