"""Rows for tests and for looking at pages: photos with pictures, runs, imports and failures."""

import base64
import io
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from PIL import Image
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator import events
from orchestrator.models import (
    DeadLetter,
    ErrorLog,
    Import,
    ImportItem,
    Photo,
    PhotoFile,
    Placard,
    Project,
    Rendition,
    Root,
    StageRun,
)
from orchestrator.placards.service import job_of
from shared.claims import ClaimStore
from shared.contracts import convert
from shared.contracts.render import EDGES, Size

EPOCH = datetime(2024, 5, 4, 10, 0)


async def a_root(session: AsyncSession, path: str | bytes = b"/photos", **fields: Any) -> Root:
    raw = path.encode() if isinstance(path, str) else path
    root = Root(path=raw, **{"label": raw.rsplit(b"/", 1)[-1].decode("utf-8", "replace"), **fields})
    return await _added(session, root)


async def a_placard(session: AsyncSession, claims: ClaimStore, image: Image.Image, **fields: Any) -> Placard:
    """One whose photo is converted and described, with its pictures on disk."""
    digest = uuid.uuid4().hex * 2
    preview, (width, height) = _put(claims, "previews", image, 1440)
    defaults: dict[str, Any] = {
        "content_hash": digest,
        "file_name": "IMG_0042.heic",
        "upload": f"placards/{digest[:2]}/{digest}.heic",
        "size": 2_400_000,
        "preview": preview,
        "preview_width": width,
        "preview_height": height,
        "thumbnail": _put(claims, "thumbnails", image, 480)[0],
        "placeholder": _placeholder(image),
        "exif": convert.Exif(captured_at=EPOCH, camera_model="Canon EOS R5", aperture=2.8, iso=400).model_dump(
            mode="json"
        ),
        "description": {
            "described_by": "llava",
            "prompt_version": 1,
            "subject": "A red kayak pulled up on a shingle beach",
            "content_type": "landscape",
            "lighting_critique": "Low sun from the left throws long soft shadows.",
            "artistic_mood": "calm, expectant",
            "suggested_tags": ["kayak", "beach", "shingle", "evening", "red", "sea"],
        },
    }
    placard = await _added(session, Placard(**{**defaults, **fields}))
    for stage in ("convert", "curate"):
        fields = {"subject": job_of(placard.id), "run_id": uuid.uuid4(), "state": "done"}
        await _added(session, StageRun(stage=stage, photo_id=None, **fields))
    return placard


async def a_project(session: AsyncSession, name: str) -> Project:
    return await _added(session, Project(name=name))


async def a_photo(session: AsyncSession, root: Root, name: str = "DSC_0001.jpg", **fields: Any) -> Photo:
    """A converted photo, without a picture on disk; `preview=None` makes one that waits."""
    defaults: dict[str, Any] = {
        "file_name": name,
        "file_path": f"{root.path.decode('utf-8', 'replace')}/{name}",
        "width": 6000,
        "height": 4000,
        "preview": f"previews/{uuid.uuid4().hex}.jpg",
        "preview_width": 1440,
        "preview_height": 960,
        "thumbnail": f"thumbnails/{uuid.uuid4().hex}.jpg",
        "sharpness_score": 71.0,
        "exposure_score": 96.0,
        "technical_score": 78.5,
        "captured_at": EPOCH,
    }
    return await _added(session, Photo(root_id=root.id, **{**defaults, **fields}))


async def a_picture(session: AsyncSession, claims: ClaimStore, photo: Photo, image: Image.Image) -> None:
    """Put a preview, a thumbnail and a placeholder of the photo on disk."""
    photo.preview, (photo.preview_width, photo.preview_height) = _put(claims, "previews", image, 1440)
    photo.thumbnail, _ = _put(claims, "thumbnails", image, 480)
    photo.placeholder = _placeholder(image)
    session.add(photo)
    await session.flush()


async def a_rendition(session: AsyncSession, claims: ClaimStore, photo: Photo, size: Size, image: Image.Image) -> None:
    """Put a picture of the photo on disk as the stage `render` does; `size` is view, dense or full."""
    claim, (width, height) = _put(claims, "renditions", image, EDGES[size] or max(image.size))
    sizes = {"width": width, "height": height, "bytes": 0}
    made = Rendition(photo_id=photo.id, size=size, claim=claim, preview=photo.preview, source="original", **sizes)
    await _added(session, made)


def a_gradient(width: int = 600, height: int = 400, hue: int = 0) -> Image.Image:
    ramp = np.linspace(30, 220, width, dtype=np.uint8)[None, :].repeat(height, 0)
    channels = [ramp, np.roll(ramp, hue, 1), 255 - ramp]
    return Image.fromarray(np.dstack(channels))


async def a_file(session: AsyncSession, photo: Photo, path: bytes, **fields: Any) -> PhotoFile:
    defaults: dict[str, Any] = {"size": 24_117_248, "mtime_ns": 1_714_816_800 * 10**9, "role": "original"}
    file = PhotoFile(root_id=photo.root_id, photo_id=photo.id, path=path, **{**defaults, **fields})
    return await _added(session, file)


async def a_run(session: AsyncSession, photo: Photo, stage: str = "convert", **fields: Any) -> StageRun:
    defaults: dict[str, Any] = {"subject": str(photo.id), "run_id": uuid.uuid4(), "state": "done"}
    return await _added(session, StageRun(stage=stage, photo_id=photo.id, **{**defaults, **fields}))


async def an_import(session: AsyncSession, root: Root, label: str = "Iceland 2024", **fields: Any) -> Import:
    return await _added(session, Import(root_id=root.id, folder=b"", label=label, **fields))


async def an_item(session: AsyncSession, import_: Import, photo: Photo | None, path: bytes, **fields: Any) -> None:
    item = ImportItem(import_id=import_.id, path=path, photo_id=photo.id if photo else None, **fields)
    await _added(session, item)


async def a_failure(session: AsyncSession, photo: Photo | None, **fields: Any) -> ErrorLog:
    defaults: dict[str, Any] = {
        "run_id": uuid.uuid4(),
        "stage": "convert",
        "attempt": 1,
        "max_attempts": 5,
        "source": "worker",
        "final": False,
        "error_type": "CorruptFile",
        "message": "This file is broken and shows no picture.",
    }
    return await _added(session, ErrorLog(photo_id=photo.id if photo else None, **{**defaults, **fields}))


async def a_dead_letter(session: AsyncSession, photo: Photo | None, **fields: Any) -> DeadLetter:
    defaults: dict[str, Any] = {
        "run_id": uuid.uuid4(),
        "stage": "convert",
        "reason": "rejected",
        "error_type": "CorruptFile",
        "message": "This file is broken and shows no picture.",
        "body": b'{"photo_id": 1, "file_path": "/photos/DSC_0001.jpg"}',
    }
    return await _added(session, DeadLetter(photo_id=photo.id if photo else None, **{**defaults, **fields}))


async def tell(session: AsyncSession, kind: str, *ids: int) -> None:
    """Commit, and let the pages know."""
    await events.record(session, kind, list(ids))
    await session.commit()


def minutes_ago(minutes: float) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)


async def _added(session: AsyncSession, row: Any) -> Any:
    session.add(row)
    await session.flush()
    return row


def _put(claims: ClaimStore, folder: str, image: Image.Image, long_edge: int) -> tuple[str, tuple[int, int]]:
    small = image.copy()
    small.thumbnail((long_edge, long_edge))
    return claims.put(f"{folder}/{uuid.uuid4().hex}.jpg", _jpeg(small, 82)), small.size


def _placeholder(image: Image.Image) -> str:

    small = image.copy()
    small.thumbnail((16, 16))
    return base64.b64encode(_jpeg(small, 40)).decode()


def _jpeg(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
