"""Recording what a scan found: which files are known, moved, changed or new. Runs inside the caller's transaction,
under the identity lock."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator import runs
from orchestrator.file_ratings import service as file_ratings
from orchestrator.imports import sidecars
from orchestrator.imports.folders import shown
from orchestrator.imports.matching import Ends, Match, matches, read_ends
from orchestrator.imports.rows import (
    Chunk,
    Item,
    adopt_waiting,
    create_photos,
    file_of,
    name_of,
    readable_path,
    wants_converting,
    write_items,
)
from orchestrator.imports.set_aside import still_here
from orchestrator.imports.unchanged import unchanged
from orchestrator.imports.walk import FoundFile, Unit
from orchestrator.models import (
    CANCELLED,
    COMPANION,
    COPY,
    DONE,
    FAILED,
    ORIGINAL,
    PENDING,
    SKIPPED,
    Import,
    Photo,
    PhotoFile,
    Root,
)
from orchestrator.photos.identity import merge, why_skipped
from orchestrator.places.opening import buckets_of, is_gone

KNOWN = "already in the archive"


@dataclass(frozen=True)
class Read:
    """What was read from the disk for some units, before the lock."""

    ends: Ends
    sidecars: sidecars.Readings


async def read(session: AsyncSession, root: Root, units: Sequence[Unit]) -> Read:
    """Opens what is new or changed, as little of it as possible."""
    return Read(await read_ends(session, root, units), await sidecars.read(session, root, units))


async def known_paths(session: AsyncSession, root_id: int, paths: Sequence[bytes]) -> set[bytes]:
    rows = await session.execute(
        text("SELECT path FROM photo_files WHERE root_id = :root AND path = ANY(:paths)"),
        {"root": root_id, "paths": list(paths)},
    )
    return set(rows.scalars())


async def record(
    session: AsyncSession, job: Import, root: Root, units: Sequence[Unit], read: Read, *, only_new: bool = False
) -> int:
    """Write the items of these units, and the photos, files and runs that they lead to. What their sidecars say is
    decided in the same transaction. Returns how many items.

    With `only_new`, units that turn out to be known are left out: a sample counts new photos. An import that is fed by
    a watch has no items for what is as it was.
    """
    units = await still_here(session, root, units)
    as_before = await unchanged(session, root.id, units)
    items = [Item(path, SKIPPED, KNOWN, photo_id) for path, photo_id in as_before.items()]
    rest = [unit for unit in units if unit.main.path not in as_before]
    chunk = await _open(session, job, root, rest, read.ends)
    fresh: list[Unit] = []
    for unit in rest:
        item = await _recognised(chunk, unit)
        if item is not None:
            items.append(item)
        else:
            fresh.append(unit)
    items = [] if only_new else items
    items += await create_photos(chunk, fresh)
    items = [_of_merged(chunk, item) for item in items]
    await session.flush()
    await runs.queue(session, list(chunk.converts.values()))
    await adopt_waiting(session, job, [item.photo_id for item in items if item.state == PENDING])
    owners = {item.path: item.photo_id for item in items}
    items = [item for item in items if item.reason != KNOWN] if job.is_watched else items
    await write_items(session, job, items)
    heard = await sidecars.record(session, root, units, read.sidecars, owners)
    heard |= {photo.id for photo in chunk.merged.values()}
    await file_ratings.heed(session, heard)
    await file_ratings.note_carriers(session, set(owners.values()) - heard)  # an item is new where nothing else is
    return len(items)


def _of_merged(chunk: Chunk, item: Item) -> Item:
    into = chunk.merged.get(item.photo_id)
    return item._replace(photo_id=into.id) if into else item


async def _open(session: AsyncSession, job: Import, root: Root, units: Sequence[Unit], ends: Ends) -> Chunk:
    paths = [file.path for unit in units for file in (unit.main, unit.companion) if file]
    rows = await session.execute(
        select(PhotoFile, Photo)
        .join(Photo, col(Photo.id) == col(PhotoFile.photo_id))
        .where(col(PhotoFile.root_id) == root.id, col(PhotoFile.path).in_(paths))
    )
    pairs = rows.all()
    files = {file.path: file for file, _ in pairs}
    found, displaced = await matches(session, root, ends, files)
    photos = {photo.id: photo for _, photo in pairs} | {match.photo.id: match.photo for match in found.values()}
    for file in displaced:
        files.pop(file.path)
    moved = {match.file.id for match in found.values() if match.is_moved}
    await _displace(session, displaced, moved)
    states = await session.execute(
        text("SELECT photo_id, state FROM stage_runs WHERE stage = 'convert' AND photo_id = ANY(:photos)"),
        {"photos": list(photos)},
    )
    copied = [file.photo_id for file in files.values() if file.role == COPY]
    originals = await _originals(session, copied) if copied else {}
    return Chunk(session, job, root, ends, files, photos, dict(states.all()), found, originals)


async def _originals(session: AsyncSession, photo_ids: Sequence[int]) -> Mapping[int, tuple[PhotoFile, Root]]:
    rows = await session.execute(
        select(PhotoFile, Root)
        .join(Root, col(Root.id) == col(PhotoFile.root_id))
        .where(col(PhotoFile.photo_id).in_(photo_ids), col(PhotoFile.role) == ORIGINAL)
    )
    return {file.photo_id: (file, root) for file, root in rows}


async def _displace(session: AsyncSession, displaced: Sequence[PhotoFile], moved: set[int]) -> None:
    """Files were renamed over each other: those that lie elsewhere now leave their path free for the others.
    A file that was overwritten is known no more; its photo keeps its preview and what the person said."""
    for file in displaced:
        if file.id in moved:
            file.path = b"\0%d" % file.id  # no file has such a name; the real one follows in this transaction
        else:
            await session.delete(file)
    await session.flush()


async def _recognised(chunk: Chunk, unit: Unit) -> Item | None:
    """The item of a unit that belongs to a known photo; None when it is a new one."""
    file, match = chunk.files.get(unit.main.path), chunk.matches.get(unit.main.path)
    if file is not None and file.role == COPY and _has_changed(file, unit.main):
        file = await _forget_copy(chunk, file)
    if file is not None:
        return await _seen_again(chunk, unit, file)
    if match is not None:
        return await _place(chunk, unit, match)
    return await _raw_joins(chunk, unit)


def _has_changed(file: PhotoFile, found: FoundFile) -> bool:
    return (file.size, file.mtime_ns) != (found.size, found.mtime_ns)


async def _forget_copy(chunk: Chunk, file: PhotoFile) -> PhotoFile | None:
    """A copy that got other bytes is a photo of its own, unless its photo was turned down: it stays known then."""
    if file.quick_hash == chunk.ends.get(file.path) or why_skipped(chunk.photos[file.photo_id]):
        return file
    await chunk.session.delete(chunk.files.pop(file.path))
    await chunk.session.flush()
    return None


async def _seen_again(chunk: Chunk, unit: Unit, file: PhotoFile) -> Item:
    """A path that is known: skipped, unless its bytes changed or its photo never got its preview."""
    photo = chunk.photos[file.photo_id]
    if file.role == COPY:
        return await _copy_again(chunk, unit, file, photo)
    joined = await _attach_companion(chunk, unit, photo) if file.role == ORIGINAL else False
    if reason := why_skipped(photo):
        return Item(unit.main.path, SKIPPED, reason, photo.id)
    if file.role == COMPANION:
        return Item(unit.main.path, SKIPPED, f"belongs to {photo.file_name}", photo.id)
    state = chunk.convert_states.get(photo.id)
    is_waiting = state not in (None, DONE, FAILED, CANCELLED)
    is_unread = photo.preview is None or file.content_hash is None or state in (FAILED, CANCELLED)
    has_changed = _has_changed(file, unit.main)  # if it waits, somebody may be reading what it was
    if is_waiting and not joined and not has_changed:
        return Item(unit.main.path, PENDING, None, photo.id)
    if joined or is_unread or has_changed:
        file.size, file.mtime_ns = unit.main.size, unit.main.mtime_ns
        return wants_converting(chunk, unit, photo.id)
    return Item(unit.main.path, SKIPPED, KNOWN, photo.id)


async def _copy_again(chunk: Chunk, unit: Unit, file: PhotoFile, photo: Photo) -> Item:
    """A copy takes the place of its original once that is gone."""
    file.size, file.mtime_ns = unit.main.size, unit.main.mtime_ns
    original = chunk.originals.get(photo.id)
    if original is None or await asyncio.to_thread(is_gone, original[1], original[0].path, buckets_of(chunk.session)):
        if original is not None:
            await chunk.session.delete(original[0])
        file.role = ORIGINAL
        _name_after(chunk, unit, photo)
        await _attach_companion(chunk, unit, photo)
    reason = why_skipped(photo) or (KNOWN if file.role == ORIGINAL else f"a copy of {photo.file_name}")
    return Item(unit.main.path, SKIPPED, reason, photo.id)


async def _place(chunk: Chunk, unit: Unit, match: Match) -> Item:
    """The known photo takes the new path when its old one is gone; else the new path is a copy of it."""
    photo, file = chunk.merged.get(match.photo.id, match.photo), match.file
    reason = why_skipped(photo)
    if not match.is_moved:
        _add_copy(chunk, unit.main, match, photo)
        companion = unit.companion and chunk.matches.get(unit.companion.path)
        if unit.companion and companion and companion.photo is photo and unit.companion.path not in chunk.files:
            _add_copy(chunk, unit.companion, companion, photo)
        return Item(unit.main.path, SKIPPED, reason or f"a copy of {photo.file_name}", photo.id)
    reason = reason or f"moved here from {shown(match.old_path)}"
    _move(chunk, file, unit.main)
    if file.role == ORIGINAL:
        _name_after(chunk, unit, photo)
        joined = await _attach_companion(chunk, unit, photo)
        if not why_skipped(photo) and (joined or chunk.convert_states.get(photo.id) != DONE):
            return wants_converting(chunk, unit, photo.id)
    return Item(unit.main.path, SKIPPED, reason, photo.id)


def _move(chunk: Chunk, file: PhotoFile, found: FoundFile) -> None:
    file.root_id, file.path, file.mtime_ns = chunk.root.id, found.path, found.mtime_ns
    chunk.files[found.path] = file


def _name_after(chunk: Chunk, unit: Unit, photo: Photo) -> None:
    photo.root_id, photo.file_name, photo.file_path = (
        chunk.root.id,
        name_of(unit.main),
        readable_path(chunk.root, unit.main),
    )


def _add_copy(chunk: Chunk, found: FoundFile, match: Match, photo: Photo) -> None:
    copy = file_of(chunk.root, found, photo.id, COPY)
    copy.quick_hash, copy.content_hash = match.file.quick_hash, match.file.content_hash
    chunk.session.add(copy)
    chunk.files[found.path] = copy


async def _raw_joins(chunk: Chunk, unit: Unit) -> Item | None:
    """A RAW that arrives after its JPEG takes over the row, decisions and all."""
    if unit.companion is None:
        return None
    file, match = chunk.files.get(unit.companion.path), chunk.matches.get(unit.companion.path)
    if file is None and match is not None and match.is_moved and match.file.role == ORIGINAL:
        file = match.file
        _move(chunk, file, unit.companion)
    if file is None or file.role != ORIGINAL:
        return None
    photo = chunk.photos[file.photo_id]
    file.role = COMPANION
    original = file_of(chunk.root, unit.main, photo.id, ORIGINAL)
    chunk.session.add(original)
    chunk.files[unit.main.path] = original
    _name_after(chunk, unit, photo)
    if reason := why_skipped(photo):
        return Item(unit.main.path, SKIPPED, reason, photo.id)
    return wants_converting(chunk, unit, photo.id)


async def _attach_companion(chunk: Chunk, unit: Unit, photo: Photo) -> bool:
    """The JPEG beside a RAW becomes a file of its photo. Whether it is new there, or changed."""
    found = unit.companion
    if found is None:
        return False
    file, match = chunk.files.get(found.path), chunk.matches.get(found.path)
    if file is None and match is not None and match.is_moved and match.file.role != COPY:
        file = match.file
        _move(chunk, file, found)
    if file is None:
        file = file_of(chunk.root, found, photo.id, COMPANION)
        file.quick_hash = chunk.ends.get(found.path)
        chunk.session.add(file)
        chunk.files[found.path] = file
        return True
    if file.photo_id != photo.id:
        return await _take_over(chunk, file, photo)
    has_changed = _has_changed(file, found) and not why_skipped(photo)  # a tombstone keeps the hashes it has
    if has_changed:
        file.size, file.mtime_ns, file.quick_hash, file.content_hash = found.size, found.mtime_ns, None, None
    return has_changed


async def _take_over(chunk: Chunk, file: PhotoFile, photo: Photo) -> bool:
    """The JPEG was a photo of its own until its RAW came: both are one."""
    if file.role != ORIGINAL:
        return False
    await _merge(chunk, chunk.photos[file.photo_id], photo)
    file.role = COMPANION
    return True


async def _merge(chunk: Chunk, other: Photo, photo: Photo) -> None:
    await merge(chunk.session, other, photo)
    chunk.converts.pop(other.id, None)
    chunk.merged[other.id] = photo
    for file in chunk.files.values():
        if file.photo_id == other.id:
            await chunk.session.refresh(file)
