"""Applying a conversion: whose photo is it? The same bytes are never two photos, and decisions follow the bytes."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import cast

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.file_ratings import service as file_ratings
from orchestrator.imports import items
from orchestrator.imports.folders import shown
from orchestrator.metrics.committed import after_commit
from orchestrator.metrics.instruments import PHOTO_AGE_SECONDS
from orchestrator.models import COMPANION, COPY, DAMAGED, DONE, ORIGINAL, SKIPPED, Photo, PhotoFile, Root
from orchestrator.photos import sweeper
from orchestrator.photos.identity import merge, why_skipped
from orchestrator.places.opening import Buckets, buckets_of, is_gone
from orchestrator.stage_results import Applied
from shared.contracts import convert


async def apply(session: AsyncSession, applied: Sequence[Applied]) -> Sequence[int]:
    """Photos get their previews, measurements and EXIF; files that turn out to be known ones join their photo.
    Runs under the identity lock: no hash becomes known meanwhile."""
    results = [cast(convert.Result, one.result) for one in applied]
    photos = await _photos(session, [result.photo_id for result in results])
    files = await _files(session, list(photos))
    known = await _known_by_hash(session, [result.content_hash for result in results])
    outcomes: dict[int, tuple[str, str | None]] = {}
    changed: list[int] = []
    heard: set[int] = set()  # their files may say another rating now
    found_at: list[datetime] = []  # of those that nobody could see until now
    for result in results:
        photo, file = photos.get(result.photo_id), files.get((result.photo_id, ORIGINAL))
        if photo is None or file is None or photo.deleted_at:
            await sweeper.consider(session, [result.preview, result.thumbnail])
            if photo is not None:
                await items.settle(session, {photo.id: (SKIPPED, why_skipped(photo) or "not there any more")})
            continue
        _remember(file, result)
        other = known.get(result.content_hash)
        if other is not None and other.id != photo.id:
            await sweeper.consider(session, [result.preview, result.thumbnail])
            reason = await _join(session, photo, file, other)
            await items.settle(session, {photo.id: (SKIPPED, reason)})
            await _leave(session, photo, other)
            heard.add(other.id)
        else:
            await sweeper.consider(session, _replaced(photo, result))
            heard |= {photo.id} if photo.embedded_rating != result.rating else set()
            found_at += [photo.created_at] if photo.preview is None else []
            _fill(photo, result)
            _remember_companion(files.get((photo.id, COMPANION)), result)
            known.setdefault(result.content_hash, photo)
            changed.append(photo.id)
            outcomes[photo.id] = (DAMAGED, result.damage) if result.damage else (DONE, None)
    await session.flush()
    await items.settle(session, outcomes)
    await file_ratings.heed(session, heard)
    after_commit(session, partial(_count_visible, found_at))
    return changed


def _count_visible(found_at: Sequence[datetime]) -> None:
    now = datetime.now(UTC)
    for moment in found_at:
        PHOTO_AGE_SECONDS.observe(max(0, (now - moment).total_seconds()))


def _replaced(photo: Photo, result: convert.Result) -> list[str | None]:
    return [claim for claim in (photo.preview, photo.thumbnail) if claim not in (result.preview, result.thumbnail)]


async def _photos(session: AsyncSession, ids: Sequence[int]) -> dict[int, Photo]:
    rows = await session.execute(select(Photo).where(col(Photo.id).in_(ids)).order_by(col(Photo.id)).with_for_update())
    return {photo.id: photo for photo in rows.scalars()}


async def _files(session: AsyncSession, ids: Sequence[int]) -> dict[tuple[int, str], PhotoFile]:
    rows = await session.execute(
        select(PhotoFile).where(col(PhotoFile.photo_id).in_(ids), col(PhotoFile.role).in_([ORIGINAL, COMPANION]))
    )
    return {(file.photo_id, file.role): file for file in rows.scalars()}


async def _known_by_hash(session: AsyncSession, hashes: Sequence[str]) -> dict[str, Photo]:
    """The photo that each content hash belongs to: by its own, or by any of its files; the oldest of several."""
    rows = await session.execute(
        select(col(PhotoFile.content_hash), Photo)
        .join(Photo, col(Photo.id) == col(PhotoFile.photo_id))
        .where(col(PhotoFile.content_hash).in_(hashes), col(Photo.content_hash).is_not(None))
        .order_by(col(Photo.id).desc())
    )
    by_file = {content_hash: photo for content_hash, photo in rows if content_hash}
    own = await session.execute(select(Photo).where(col(Photo.content_hash).in_(hashes)).order_by(col(Photo.id).desc()))
    return by_file | {photo.content_hash: photo for photo in own.scalars() if photo.content_hash}


async def _join(session: AsyncSession, photo: Photo, file: PhotoFile, other: Photo) -> str:
    """Hand a file to the photo whose bytes it has. Returns why its item is skipped."""
    rows = await session.execute(
        select(PhotoFile, Root)
        .join(Root, col(Root.id) == col(PhotoFile.root_id))
        .where(col(PhotoFile.photo_id) == other.id)
        .order_by(col(PhotoFile.id))
    )
    owned = rows.all()
    alike = [(known, root) for known, root in owned if known.content_hash == file.content_hash]
    gone = await asyncio.to_thread(_first_gone, alike, buckets_of(session))
    has_original = any(known.role == ORIGINAL for known, _ in owned)
    file.photo_id = other.id
    file.role = gone.role if gone else COPY if has_original else ORIGINAL
    if file.role == ORIGINAL:
        other.root_id, other.file_name, other.file_path = photo.root_id, photo.file_name, photo.file_path
    if gone is not None:
        await session.delete(gone)
    await session.flush()
    return why_skipped(other) or (f"moved here from {shown(gone.path)}" if gone else f"a copy of {other.file_name}")


def _first_gone(files: Sequence[tuple[PhotoFile, Root]], buckets: Buckets) -> PhotoFile | None:
    return next((known for known, root in files if is_gone(root, known.path, buckets)), None)


async def _leave(session: AsyncSession, photo: Photo, other: Photo) -> None:
    """A photo that was nothing but that file becomes the other. One that was seen before and whose file was
    overwritten keeps its preview and what the person said, and its next best file."""
    if photo.content_hash is None:
        await merge(session, photo, other)
        return
    rows = await session.execute(
        select(PhotoFile).where(col(PhotoFile.photo_id) == photo.id).order_by(col(PhotoFile.role), col(PhotoFile.id))
    )
    if (next_best := rows.scalars().first()) is not None:
        next_best.role = ORIGINAL


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
            "photo_id", "quick_hash", "size", "mtime_ns", "quality", "exif", "rating",
            "companion_content_hash", "companion_quick_hash",
        }
    )  # fmt: skip
    for values in (derived, result.quality.model_dump(), result.exif.model_dump()):
        photo.sqlmodel_update(values)
    photo.embedded_rating = result.rating
