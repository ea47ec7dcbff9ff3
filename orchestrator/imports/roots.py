"""Roots: the folders that files are stored relative to. A drive that comes back elsewhere is recognised."""

import asyncio
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator import breakers, identity_lock
from orchestrator.imports import moving
from orchestrator.imports.folders import shown
from orchestrator.models import Root
from shared import quick_hash
from shared.bucket_address import is_address

log = structlog.get_logger()

FINGERPRINT_FILES = 20  # known files that are looked for where a root may have come back
FINGERPRINT_SHARE = 0.9  # of them are there: it is this root, whatever its file system says
STRANGER_SHARE = 0.1  # fewer, and another file system: it is another drive under the same path


@dataclass(frozen=True)
class RootedFolder:
    """A folder to import: its root, and its path relative to it (b"" for the root itself)."""

    root: Root
    folder: bytes


@dataclass(frozen=True)
class KnownFile:
    path: bytes
    size: int
    mtime_ns: int
    quick_hash: str | None


@dataclass(frozen=True)
class KnownRoot:
    """What is needed to recognise a root on disk."""

    id: int
    path: bytes
    identity: str | None
    files: Sequence[KnownFile]


@dataclass(frozen=True)
class Sightings:
    """What the disk says about the roots, seen from a folder."""

    looked_at: Mapping[int, bytes]  # root id -> the path that it had then
    found: Mapping[int, Path]  # roots that lie here, under this path
    replaced: frozenset[int]  # roots under whose path lies another drive


def root_key(root_id: int) -> str:
    """The breaker key of everything that needs this root."""
    return moving.root_key(root_id)


def identity_of(folder: Path) -> str | None:
    """File system and inode of a folder: stays when it is renamed or its drive is mounted elsewhere."""
    try:
        found = folder.stat()
        return f"{_volume_of(found.st_dev) or format(os.statvfs(folder).f_fsid, 'x')}:{found.st_ino}"
    except OSError:
        return None


def _volume_of(device: int) -> str | None:
    """What the volume itself is called. A card reader shows every card as the same device."""
    try:
        with os.scandir("/dev/disk/by-uuid") as volumes:
            return next((volume.name for volume in volumes if volume.stat().st_rdev == device), None)
    except OSError:
        return None


def is_empty_or_missing(folder: bytes | Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except OSError:
        return True


async def place(session: AsyncSession, folder: Path, library_roots: Sequence[Path] | None) -> RootedFolder:
    """The root that this existing folder belongs to, made if it is new; a root that has moved here is found again."""
    root = await recognise(session, folder)
    if root is None:
        roots = await _roots(session)
        root = await _create(session, _top(folder, library_roots))
        for inner in roots:
            if inner.state == "online" and (prefix := _relative(_path(inner), _path(root))):
                await moving.absorb(session, root, inner, prefix)
    relative = _relative(folder, _path(root))
    assert relative is not None
    return RootedFolder(root, relative)


async def recognise(session: AsyncSession, folder: Path) -> Root | None:
    """The known root that this existing folder belongs to. Under the identity lock from here on."""
    sightings = await _look(session, folder)
    await identity_lock.take(session)
    roots = await _roots(session)
    if {root.id: root.path for root in roots} != sightings.looked_at:
        sightings = await _look(session, folder)
        roots = await _roots(session)
    await _believe(session, roots, sightings)
    return _innermost(folder, (root for root in roots if root.state == "online"))


async def _roots(session: AsyncSession) -> list[Root]:
    """Those on drives; see bucket_roots for the others."""
    rows = await session.execute(select(Root).order_by(col(Root.id)).execution_options(populate_existing=True))
    return [root for root in rows.scalars() if not is_address(root.path)]


async def _look(session: AsyncSession, folder: Path) -> Sightings:
    known = [
        KnownRoot(root.id, root.path, root.identity, await _fingerprint(session, root.id))
        for root in await _roots(session)
    ]
    return await asyncio.to_thread(_sight, known, folder)


async def _fingerprint(session: AsyncSession, root_id: int) -> list[KnownFile]:
    rows = await session.execute(
        text(
            "SELECT path, size, mtime_ns, quick_hash FROM photo_files WHERE root_id = :root ORDER BY path LIMIT :limit"
        ),
        {"root": root_id, "limit": FINGERPRINT_FILES},
    )
    return [KnownFile(*row) for row in rows]


def _sight(known: Sequence[KnownRoot], folder: Path) -> Sightings:
    candidates = {place: identity_of(place) for place in (folder, *folder.parents)}
    found: dict[int, Path] = {}
    replaced: set[int] = set()
    for root in known:
        own = Path(os.fsdecode(root.path))
        if own in candidates:
            if _is_another_drive(root, own):
                replaced.add(root.id)
            else:
                found[root.id] = own
        else:  # the place it had may be a network drive that hangs: it is looked at last
            here = next(
                (place for place, identity in candidates.items() if _has_come_back(root, place, identity)), None
            )
            found |= {root.id: here} if here and is_empty_or_missing(own) else {}
    return Sightings({root.id: root.path for root in known}, found, frozenset(replaced))


def _is_another_drive(root: KnownRoot, folder: Path) -> bool:
    """Two cards in one reader have the same path and the same file names."""
    if root.identity is None or root.identity == identity_of(folder) or not root.files:
        return False
    return _share(root, folder) < STRANGER_SHARE


def _has_come_back(root: KnownRoot, folder: Path, identity: str | None) -> bool:
    """An inode alone proves little: a new folder gets that of a deleted one."""
    if root.identity is not None and root.identity == identity:
        return not root.files or any(os.path.lexists(folder / os.fsdecode(file.path)) for file in root.files)
    return bool(root.files) and _lies_here(root, folder)


def _share(root: KnownRoot, folder: Path) -> float:
    return sum(_is_same(folder, file) for file in root.files) / len(root.files)


def _lies_here(root: KnownRoot, folder: Path) -> bool:
    """Ends as soon as too many are missing: most folders that are asked about are those of other roots."""
    missing = 0
    for file in root.files:
        missing += not _is_same(folder, file)
        if (len(root.files) - missing) / len(root.files) < FINGERPRINT_SHARE:
            return False
    return True


def _is_same(folder: Path, file: KnownFile) -> bool:
    try:
        descriptor = os.open(folder / os.fsdecode(file.path), os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        found = os.fstat(descriptor)
        if (found.st_size, found.st_mtime_ns) == (file.size, file.mtime_ns):
            return True
        return found.st_size == file.size and quick_hash.of_file(descriptor) == file.quick_hash
    except OSError:
        return False
    finally:
        os.close(descriptor)


async def _believe(session: AsyncSession, roots: Sequence[Root], sightings: Sightings) -> None:
    for root in roots:
        why = f"Another drive is connected at {shown(root.path)}."
        if root.id in sightings.replaced and (root.state == "online" or root.problem != why):
            await moving.put_away(session, root, why)  # one that was away already must not be probed for there
    for root in roots:
        here = sightings.found.get(root.id)
        taken = {other.path for other in roots if other.id != root.id and other.state == "online"}
        if here is None or os.fsencode(here) in taken:
            continue
        if root.path != os.fsencode(here):
            await moving.relocate(session, root, here)
            root.identity = await asyncio.to_thread(identity_of, here)
        elif root.state != "online":
            root.state, root.problem = "online", None
            await session.flush()
            await breakers.close(session, root_key(root.id))


def _innermost(folder: Path, roots: Iterable[Root]) -> Root | None:
    holding = [root for root in roots if _relative(folder, _path(root)) is not None]
    return max(holding, key=lambda root: len(root.path), default=None)


def _top(folder: Path, library_roots: Sequence[Path] | None) -> Path:
    libraries = [base.resolve() for base in library_roots or ()]
    return next((base for base in libraries if _relative(folder, base) is not None), folder)


def _path(root: Root) -> Path:
    return Path(os.fsdecode(root.path))


def _relative(folder: Path, base: Path) -> bytes | None:
    """b"" for the base itself; None when the folder is not inside it."""
    try:
        relative = folder.relative_to(base)
    except ValueError:
        return None
    return b"" if relative == Path() else os.fsencode(relative)


async def _create(session: AsyncSession, path: Path) -> Root:
    identity = await asyncio.to_thread(identity_of, path)
    root = Root(path=os.fsencode(path), label=shown(path), identity=identity)
    session.add(root)
    await session.flush()
    return root


async def by_id(session: AsyncSession, root_id: int) -> Root:
    return (await session.execute(select(Root).where(col(Root.id) == root_id))).scalar_one()
