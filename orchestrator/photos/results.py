"""Applying a conversion: whose photo is it? The same bytes are never two photos, and decisions follow the bytes."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.imports import items
from orchestrator.models import COMPANION, COPY, DAMAGED, DONE, ORIGINAL, SKIPPED, Photo, PhotoFile, Root
from orchestrator.stage_results import Applied
from shared.contracts import convert

_APPLYING = 0x636F6E76  # advisory lock: two orchestrators never both find a content hash unknown


async def apply(session: AsyncSession, applied: Sequence[Applied]) -> Sequence[int]:
    """Photos get their previews, measurements and EXIF; files that turn out to be known ones join their photo."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _APPLYING})
    results = [cast(convert.Result, one.result) for one in applied]
    photos = await _photos(session, [result.photo_id for result in results])
    files = await _files(session, list(photos))
    known = await _known_by_hash(session, [result.content_hash for result in results])
    outcomes: dict[int, tuple[str, str | None]] = {}
    changed: list[int] = []
    for result in results:
        photo, file = photos.get(result.photo_id), files.get((result.photo_id, ORIGINAL))
        if photo is None or file is None:
            continue
        other = known.get(result.content_hash)
        if other is not None and other.id != photo.id and photo.content_hash is None:
            _remember(file, result)
            reason = await _join(session, photo, file, other)
            await items.settle(session, {photo.id: (SKIPPED, reason)})
            await _dissolve(session, photo, other)
        else:
            _fill(photo, result)
            _remember(file, result)
            _remember_companion(files.get((photo.id, COMPANION)), result)
            known.setdefault(result.content_hash, photo)
            changed.append(photo.id)
            outcomes[photo.id] = (DAMAGED, result.damage) if result.damage else (DONE, None)
    await session.flush()
    await items.settle(session, outcomes)
    return changed


async def _photos(session: AsyncSession, ids: Sequence[int]) -> dict[int, Photo]:
    rows = await session.execute(select(Photo).where(col(Photo.id).in_(ids)).order_by(col(Photo.id)).with_for_update())
    return {photo.id: photo for photo in rows.scalars()}


async def _files(session: AsyncSession, ids: Sequence[int]) -> dict[tuple[int, str], PhotoFile]:
    rows = await session.execute(
        select(PhotoFile).where(col(PhotoFile.photo_id).in_(ids), col(PhotoFile.role).in_([ORIGINAL, COMPANION]))
    )
    return {(file.photo_id, file.role): file for file in rows.scalars()}


async def _known_by_hash(session: AsyncSession, hashes: Sequence[str]) -> dict[str, Photo]:
    """The photo that each content hash belongs to, through any of its files; the oldest if there are several."""
    rows = await session.execute(
        select(col(PhotoFile.content_hash), Photo)
        .join(Photo, col(Photo.id) == col(PhotoFile.photo_id))
        .where(col(PhotoFile.content_hash).in_(hashes), col(Photo.content_hash).is_not(None))
        .order_by(col(Photo.id).desc())
    )
    return {content_hash: photo for content_hash, photo in rows if content_hash}


async def _join(session: AsyncSession, photo: Photo, file: PhotoFile, other: Photo) -> str:
    """Hand the file of a provisional photo to the photo whose bytes it has. Returns why its item is skipped."""
    originals = (
        await session.execute(
            select(PhotoFile, Root)
            .join(Root, col(Root.id) == col(PhotoFile.root_id))
            .where(col(PhotoFile.photo_id) == other.id, col(PhotoFile.content_hash) == file.content_hash)
        )
    ).all()
    gone = None
    for known, root in originals:
        if root.state == "online" and not await asyncio.to_thread(is_there, root.path, known.path):
            gone = known
            break
    file.photo_id = other.id
    if gone is None:
        file.role = COPY
        reason = f"a copy of {other.file_name}"
    else:
        file.role = gone.role
        if gone.role == ORIGINAL:
            other.root_id, other.file_name, other.file_path = photo.root_id, photo.file_name, photo.file_path
        reason = f"moved here from {os.fsdecode(gone.path)!r}"
        await session.execute(delete(PhotoFile).where(col(PhotoFile.id) == gone.id))
    if other.rejected_at or other.deleted_at:
        reason = "rejected before" if other.rejected_at else "removed before"
    await session.flush()
    return reason


async def _dissolve(session: AsyncSession, photo: Photo, other: Photo) -> None:
    """The provisional row goes; what the person already said about it moves over where nothing was said."""
    if other.user_rating is None:
        other.user_rating = photo.user_rating
    other.manual_match = other.manual_match or photo.manual_match
    other.kept_at = other.kept_at or photo.kept_at
    other.project_id = other.project_id or photo.project_id
    await session.execute(
        text("UPDATE import_items SET photo_id = :new WHERE photo_id = :old"), {"new": other.id, "old": photo.id}
    )
    await session.execute(
        text("UPDATE photo_files SET photo_id = :new WHERE photo_id = :old"), {"new": other.id, "old": photo.id}
    )
    await session.flush()
    session.expunge(photo)
    await session.execute(delete(Photo).where(col(Photo.id) == photo.id))


def is_there(root: bytes, path: bytes) -> bool:
    return os.path.lexists(Path(os.fsdecode(root)) / os.fsdecode(path))


def _remember(file: PhotoFile, result: convert.Result) -> None:
    file.size, file.mtime_ns = result.size, result.mtime_ns
    file.quick_hash, file.content_hash = result.quick_hash, result.content_hash


def _remember_companion(file: PhotoFile | None, result: convert.Result) -> None:
    if file is not None and result.companion_content_hash is not None:
        file.content_hash, file.quick_hash = result.companion_content_hash, result.companion_quick_hash


def _fill(photo: Photo, result: convert.Result) -> None:
    """Everything derived; nothing that the person made."""
    derived = result.model_dump(
        exclude={
            "photo_id", "quick_hash", "size", "mtime_ns", "quality", "exif",
            "companion_content_hash", "companion_quick_hash",
        }
    )  # fmt: skip
    for values in (derived, result.quality.model_dump(), result.exif.model_dump()):
        photo.sqlmodel_update(values)
