"""The rows that a scan writes: photos, files, runs and items."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator import runs
from orchestrator.imports.folders import shown
from orchestrator.imports.matching import Ends, Match
from orchestrator.imports.roots import root_key
from orchestrator.imports.walk import FoundFile, Unit
from orchestrator.models import COMPANION, HELD, ORIGINAL, PENDING, Import, Photo, PhotoFile, Root
from shared.claims import claim_of
from shared.contracts import convert


class Item(NamedTuple):
    """What becomes an import item."""

    path: bytes
    state: str
    reason: str | None
    photo_id: int


@dataclass
class Chunk:
    """Some units of one scan, and what the archive holds about them."""

    session: AsyncSession
    job: Import
    root: Root
    ends: Ends
    files: dict[bytes, PhotoFile]
    photos: dict[int, Photo]
    convert_states: dict[int, str]
    matches: Mapping[bytes, Match]
    originals: Mapping[int, tuple[PhotoFile, Root]]  # of the photos that have copies here
    merged: dict[int, Photo] = field(default_factory=dict)  # photo id -> the photo that it turned out to be
    converts: dict[int, runs.NewRun] = field(default_factory=dict)


async def create_photos(chunk: Chunk, units: Sequence[Unit]) -> list[Item]:
    """Rows for photos that nobody has seen, before any of their files is decoded. In bulk: there may be a million."""
    if not units:
        return []
    root, project_id = chunk.root, chunk.job.project_id
    photos = [
        {
            "root_id": root.id,
            "file_name": name_of(unit.main),
            "file_path": readable_path(root, unit.main),
            "project_id": project_id,
        }
        for unit in units
    ]
    await chunk.session.flush()  # files that moved leave their paths first
    ids = await chunk.session.scalars(insert(Photo).returning(col(Photo.id), sort_by_parameter_order=True), photos)
    files: list[dict[str, Any]] = []  # Any: rows
    items: list[Item] = []
    for unit, photo_id in zip(units, ids.all(), strict=True):
        files.append(_file_row(root, unit.main, photo_id, ORIGINAL))
        if unit.companion is not None and unit.companion.path not in chunk.files:
            files.append(_file_row(root, unit.companion, photo_id, COMPANION))
        items.append(wants_converting(chunk, unit, photo_id))
    await chunk.session.execute(insert(PhotoFile), files)
    return items


def _file_row(root: Root, found: FoundFile, photo_id: int, role: str) -> dict[str, Any]:  # Any: a row
    return {
        "root_id": root.id,
        "path": found.path,
        "size": found.size,
        "mtime_ns": found.mtime_ns,
        "photo_id": photo_id,
        "role": role,
    }


def file_of(root: Root, found: FoundFile, photo_id: int, role: str) -> PhotoFile:
    return PhotoFile(**_file_row(root, found, photo_id, role))


def wants_converting(chunk: Chunk, unit: Unit, photo_id: int) -> Item:
    """The item of a unit whose original is to be read."""
    root = chunk.root
    request = convert.Request(
        photo_id=photo_id,
        file_path=claim_of(os.path.join(root.path, unit.main.path)),
        root=claim_of(root.path),
        root_key=root_key(root.id),
        companion=claim_of(os.path.join(root.path, unit.companion.path)) if unit.companion else None,
    )
    chunk.converts[photo_id] = runs.NewRun(
        "convert", photo_id, request, chunk.job.id, gate=root_key(root.id), trace_id=chunk.job.trace_id
    )
    return Item(unit.main.path, PENDING, None, photo_id)


def name_of(file: FoundFile) -> str:
    return shown(os.path.basename(file.path))


def readable_path(root: Root, file: FoundFile) -> str:
    return os.path.join(root.label, shown(file.path))


async def adopt_waiting(session: AsyncSession, job: Import, photo_ids: Sequence[int]) -> None:
    """What waits in a paused import is this import's too, and goes on with it."""
    await session.execute(
        text(
            "UPDATE stage_runs SET import_id = :job FROM imports WHERE imports.id = import_id AND imports.id <> :job"
            " AND imports.state IN ('paused', 'cancelled') AND photo_id = ANY(:photos) AND stage = 'convert'"
            f" AND stage_runs.state IN ('queued', '{HELD}')"
        ),
        {"job": job.id, "photos": list(photo_ids)},
    )


async def write_items(session: AsyncSession, job: Import, items: Sequence[Item]) -> None:
    if not items:
        return
    await session.execute(
        text(
            "INSERT INTO import_items (import_id, path, state, reason, photo_id)"
            " SELECT :job, new.path, new.state, new.reason, new.photo FROM unnest(CAST(:paths AS bytea[]),"
            " CAST(:states AS text[]), CAST(:reasons AS text[]), CAST(:photos AS bigint[]))"
            " AS new (path, state, reason, photo) ON CONFLICT (import_id, path) DO UPDATE"
            " SET state = excluded.state, reason = NULL, photo_id = excluded.photo_id, changed_at = now()"
            f" WHERE excluded.state = '{PENDING}'"  # it is to be read again; else what became of it is known
        ),
        {
            "job": job.id,
            "paths": [item.path for item in items],
            "states": [item.state for item in items],
            "reasons": [item.reason for item in items],
            "photos": [item.photo_id for item in items],
        },
    )
