"""Recording what a scan found: which files are known, moved, changed or new. Runs inside the caller's transaction."""

import asyncio
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator import runs
from orchestrator.imports.folders import shown
from orchestrator.imports.roots import root_key
from orchestrator.imports.walk import FoundFile, Unit
from orchestrator.models import (
    CANCELLED,
    COMPANION,
    COPY,
    FAILED,
    ORIGINAL,
    PENDING,
    SKIPPED,
    Import,
    Photo,
    PhotoFile,
    Root,
)
from orchestrator.photos.results import is_there
from shared import quick_hash
from shared.claims import claim_of
from shared.contracts import convert

_RECORDING = 0x73636E  # advisory lock class: one scan at a time decides what is new under a root


class Item(NamedTuple):
    """What becomes an import item."""

    path: bytes
    state: str
    reason: str | None
    photo_id: int


@dataclass
class Known:
    """What the archive holds about the files of a chunk."""

    files: dict[bytes, PhotoFile]
    photos: dict[int, Photo]
    convert_states: dict[int, str]


async def known_paths(session: AsyncSession, root_id: int, paths: Sequence[bytes]) -> set[bytes]:
    rows = await session.execute(
        text("SELECT path FROM photo_files WHERE root_id = :root AND path = ANY(:paths)"),
        {"root": root_id, "paths": list(paths)},
    )
    return set(rows.scalars())


async def record(session: AsyncSession, job: Import, root: Root, units: Sequence[Unit], *, only_new: bool) -> int:
    """Write the items of these units, and the photos, files and runs that they lead to. Returns how many items.

    With `only_new`, units that turn out to be known are left out: a sample counts new photos.
    """
    await session.execute(text("SELECT pg_advisory_xact_lock(:a, :b)"), {"a": _RECORDING, "b": root.id})
    known = await _known(session, root.id, units)
    recognised = await _recognise(session, root, [unit for unit in units if unit.main.path not in known.files])
    items: list[Item] = []
    converts: list[runs.NewRun] = []
    fresh: list[Unit] = []
    for unit in units:
        file = known.files.get(unit.main.path)
        companion = known.files.get(unit.companion.path) if unit.companion else None
        if file is not None:
            items.append(_seen_again(session, job, root, unit, file, known, converts))
        elif companion is not None and companion.role == ORIGINAL:
            items.append(_raw_joins(session, job, root, unit, companion, converts))
        elif unit.main.path in recognised:
            items.append(_place(session, root, unit, recognised[unit.main.path], items))
        else:
            fresh.append(unit)
    items = [] if only_new else items
    items += await _create(session, job, root, fresh, converts)
    await runs.queue(session, converts)
    await _write_items(session, job, items)
    return len(items)


async def _known(session: AsyncSession, root_id: int, units: Sequence[Unit]) -> Known:
    paths = [file.path for unit in units for file in (unit.main, unit.companion) if file]
    rows = await session.execute(
        select(PhotoFile, Photo)
        .join(Photo, col(Photo.id) == col(PhotoFile.photo_id))
        .where(col(PhotoFile.root_id) == root_id, col(PhotoFile.path).in_(paths))
    )
    pairs = rows.all()
    photos = {photo.id: photo for _, photo in pairs}
    states = await session.execute(
        text("SELECT photo_id, state FROM stage_runs WHERE stage = 'convert' AND photo_id = ANY(:photos)"),
        {"photos": list(photos)},
    )
    return Known({file.path: file for file, _ in pairs}, photos, dict(states.all()))


def _seen_again(
    session: AsyncSession,
    job: Import,
    root: Root,
    unit: Unit,
    file: PhotoFile,
    known: Known,
    converts: list[runs.NewRun],
) -> Item:
    """A path that is known: skipped, unless its bytes changed or its photo never got its preview."""
    photo, state = known.photos[file.photo_id], known.convert_states.get(file.photo_id)
    is_changed = (file.size, file.mtime_ns) != (unit.main.size, unit.main.mtime_ns)
    if photo.rejected_at or photo.deleted_at:
        return Item(unit.main.path, SKIPPED, "rejected before" if photo.rejected_at else "removed before", photo.id)
    if file.role != ORIGINAL:
        return Item(unit.main.path, SKIPPED, f"belongs to {photo.file_name}", photo.id)
    if unit.companion is not None and unit.companion.path not in known.files:
        session.add(_file(root, unit.companion, photo.id, COMPANION))
    if state in ("queued", "published", "retrying", "held"):
        return Item(unit.main.path, PENDING, None, photo.id)
    if is_changed or photo.preview is None or state in (FAILED, CANCELLED):
        converts.append(_convert(job, root, unit, photo.id))
        return Item(unit.main.path, PENDING, None, photo.id)
    return Item(unit.main.path, SKIPPED, "already in the archive", photo.id)


def _raw_joins(
    session: AsyncSession, job: Import, root: Root, unit: Unit, companion: PhotoFile, converts: list[runs.NewRun]
) -> Item:
    """A RAW that arrives after its JPEG takes over the row, decisions and all."""
    companion.role = COMPANION
    session.add(_file(root, unit.main, companion.photo_id, ORIGINAL))
    converts.append(_convert(job, root, unit, companion.photo_id))
    return Item(unit.main.path, PENDING, None, companion.photo_id)


@dataclass(frozen=True)
class Recognised:
    """A known file that a new path has the bytes of, by size and quick hash."""

    file: PhotoFile
    photo: Photo
    is_gone: bool  # from its old path
    quick_hash: str


async def _recognise(session: AsyncSession, root: Root, units: Sequence[Unit]) -> dict[bytes, Recognised]:
    """Only files whose size is known are opened, and of those only their two ends are read."""
    sizes = {unit.main.size for unit in units}
    rows = await session.execute(
        select(PhotoFile, Photo, Root)
        .join(Photo, col(Photo.id) == col(PhotoFile.photo_id))
        .join(Root, col(Root.id) == col(PhotoFile.root_id))
        .where(col(PhotoFile.size).in_(sizes), col(PhotoFile.quick_hash).is_not(None))
    )
    by_size: dict[int, list[tuple[PhotoFile, Photo, Root]]] = defaultdict(list)
    for row in rows:
        by_size[row[0].size].append(row)
    candidates = [unit for unit in units if unit.main.size in by_size]
    return await asyncio.to_thread(_compare, root.path, candidates, by_size)


def _compare(
    root: bytes, units: Iterable[Unit], by_size: dict[int, list[tuple[PhotoFile, Photo, Root]]]
) -> dict[bytes, Recognised]:
    recognised: dict[bytes, Recognised] = {}
    moved: set[int] = set()
    for unit in units:
        hashed = _quick_hash(os.path.join(root, unit.main.path))
        matches = [row for row in by_size[unit.main.size] if row[0].quick_hash == hashed and row[0].id not in moved]
        for file, photo, file_root in matches:
            is_gone = file_root.state == "online" and not is_there(file_root.path, file.path)
            recognised[unit.main.path] = Recognised(file, photo, is_gone, str(hashed))
            if is_gone:
                moved.add(file.id)
                break
    return recognised


def _quick_hash(path: bytes) -> str | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        return quick_hash.of_file(descriptor)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _place(session: AsyncSession, root: Root, unit: Unit, found: Recognised, items: Sequence[Item]) -> Item:
    """The known photo takes the new path when its old one is gone; else the new path is a copy of it."""
    photo, file = found.photo, found.file
    if found.is_gone:
        reason = f"moved here from {shown(file.path)}"
        file.root_id, file.path, file.mtime_ns = root.id, unit.main.path, unit.main.mtime_ns
        if file.role == ORIGINAL:
            photo.root_id, photo.file_name, photo.file_path = root.id, _name(unit.main), _text(root, unit.main)
    else:
        reason = f"a copy of {photo.file_name}"
        copy = _file(root, unit.main, photo.id, COPY)
        copy.quick_hash, copy.content_hash = found.quick_hash, file.content_hash
        session.add(copy)
    if unit.companion is not None:
        session.add(_file(root, unit.companion, photo.id, COMPANION))
    if photo.rejected_at or photo.deleted_at:
        reason = "rejected before" if photo.rejected_at else "removed before"
    return Item(unit.main.path, SKIPPED, reason, photo.id)


async def _create(
    session: AsyncSession, job: Import, root: Root, units: Sequence[Unit], converts: list[runs.NewRun]
) -> list[Item]:
    """Rows for photos that nobody has seen, before any of their files is decoded."""
    photos = [
        Photo(root_id=root.id, file_name=_name(unit.main), file_path=_text(root, unit.main), project_id=job.project_id)
        for unit in units
    ]
    session.add_all(photos)
    await session.flush()
    for unit, photo in zip(units, photos, strict=True):
        session.add(_file(root, unit.main, photo.id, ORIGINAL))
        if unit.companion is not None:
            session.add(_file(root, unit.companion, photo.id, COMPANION))
        converts.append(_convert(job, root, unit, photo.id))
    await session.flush()
    return [Item(unit.main.path, PENDING, None, photo.id) for unit, photo in zip(units, photos, strict=True)]


def _file(root: Root, found: FoundFile, photo_id: int, role: str) -> PhotoFile:
    return PhotoFile(
        root_id=root.id, path=found.path, size=found.size, mtime_ns=found.mtime_ns, photo_id=photo_id, role=role
    )


def _convert(job: Import, root: Root, unit: Unit, photo_id: int) -> runs.NewRun:
    request = convert.Request(
        photo_id=photo_id,
        file_path=claim_of(os.path.join(root.path, unit.main.path)),
        root=claim_of(root.path),
        root_key=root_key(root.id),
        companion=claim_of(os.path.join(root.path, unit.companion.path)) if unit.companion else None,
    )
    return runs.NewRun("convert", photo_id, request, job.id, gate=root_key(root.id))


def _name(file: FoundFile) -> str:
    return storable_text(os.path.basename(file.path))


def _text(root: Root, file: FoundFile) -> str:
    return str(Path(root.label) / storable_text(file.path))


def storable_text(path: bytes) -> str:
    return path.decode(errors="replace")


async def _write_items(session: AsyncSession, job: Import, items: Sequence[Item]) -> None:
    if not items:
        return
    await session.flush()
    await session.execute(
        text(
            "INSERT INTO import_items (import_id, path, state, reason, photo_id)"
            " SELECT :job, new.path, new.state, new.reason, new.photo FROM unnest(CAST(:paths AS bytea[]),"
            " CAST(:states AS text[]), CAST(:reasons AS text[]), CAST(:photos AS bigint[]))"
            " AS new (path, state, reason, photo) ON CONFLICT (import_id, path) DO NOTHING"
        ),
        {
            "job": job.id,
            "paths": [item.path for item in items],
            "states": [item.state for item in items],
            "reasons": [item.reason for item in items],
            "photos": [item.photo_id for item in items],
        },
    )
