"""Recognising files by their bytes: a scan reads the two ends of a file only where its size is known."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.imports.walk import FoundFile, Unit
from orchestrator.models import Photo, PhotoFile, Root
from orchestrator.places.opening import Buckets, buckets_of, place_of, which_are_gone
from orchestrator.places.place import Place

Ends = Mapping[bytes, str]  # path -> quick hash


@dataclass(frozen=True)
class Match:
    """A known file that has the bytes of a found one."""

    file: PhotoFile
    photo: Photo
    old_path: bytes
    is_moved: bool  # it is not there any more


async def read_ends(session: AsyncSession, root: Root, units: Sequence[Unit]) -> Ends:
    """Quick hashes of the files that are new or changed, of a size that the archive knows. No other file is opened.

    A JPEG that joins a known RAW is hashed as well, so that it is recognised elsewhere. Holds no lock: a slow
    drive keeps nobody waiting.
    """
    found = [file for unit in units for file in (unit.main, unit.companion) if file]
    rows = await session.execute(
        text("SELECT path, size, mtime_ns FROM photo_files WHERE root_id = :root AND path = ANY(:paths)"),
        {"root": root.id, "paths": [file.path for file in found]},
    )
    known = {path: (size, mtime_ns) for path, size, mtime_ns in rows}
    strange = [file for file in found if known.get(file.path) != (file.size, file.mtime_ns)]
    sizes = await _known_sizes(session, {file.size for file in strange})
    joining = {unit.companion.path for unit in units if unit.companion and unit.main.path in known}
    wanted = [file for file in strange if file.size in sizes or file.path in joining]
    return await asyncio.to_thread(hash_ends, place_of(root, buckets_of(session)), wanted)


async def _known_sizes(session: AsyncSession, sizes: Iterable[int]) -> set[int]:
    rows = await session.execute(
        text(
            "SELECT size FROM unnest(CAST(:sizes AS bigint[])) AS wanted (size)"
            " WHERE EXISTS (SELECT 1 FROM photo_files WHERE photo_files.size = wanted.size)"
        ),
        {"sizes": list(sizes)},
    )
    return set(rows.scalars())


def hash_ends(place: Place, files: Iterable[FoundFile]) -> dict[bytes, str]:
    """Files that cannot be read are left out: their conversion says why."""

    def hashed(file: FoundFile) -> tuple[bytes, str] | None:
        try:
            return file.path, place.quick_hash(file)
        except OSError:
            return None

    return dict(one for one in place.each(hashed, files) if one)


async def matches(
    session: AsyncSession, root: Root, ends: Ends, known: Mapping[bytes, PhotoFile]
) -> tuple[dict[bytes, Match], list[PhotoFile]]:
    """What the found files are, by path, and the known files whose path is now held by another known file's bytes.

    A path that is known and has merely changed is no match: it is the same photo with other bytes.
    """
    by_hash = await _files_with(session, ends)
    others = {
        path: [row for row in by_hash[hashed] if row[0].path != path or row[0].root_id != root.id]
        for path, hashed in ends.items()
        if path not in known or known[path].quick_hash != hashed
    }
    displaced = [
        known[path]
        for path, rows in others.items()
        if path in known and rows and all(row[1].id != known[path].photo_id for row in rows)
    ]
    chosen = await asyncio.to_thread(_choose, others, {file.id for file in displaced}, buckets_of(session))
    return chosen, displaced


async def _files_with(session: AsyncSession, ends: Ends) -> Mapping[str, list[tuple[PhotoFile, Photo, Root]]]:
    rows = await session.execute(
        select(PhotoFile, Photo, Root)
        .join(Photo, col(Photo.id) == col(PhotoFile.photo_id))
        .join(Root, col(Root.id) == col(PhotoFile.root_id))
        .where(col(PhotoFile.quick_hash).in_(set(ends.values())), col(Photo.content_hash).is_not(None))
        .order_by(col(PhotoFile.id))
    )
    found: dict[str, list[tuple[PhotoFile, Photo, Root]]] = defaultdict(list)
    for row in rows:
        found[str(row[0].quick_hash)].append(row)
    return found


def _choose(
    others: Mapping[bytes, Sequence[tuple[PhotoFile, Photo, Root]]], displaced: set[int], buckets: Buckets
) -> dict[bytes, Match]:
    """A known file moves to one place at most; every other place with its bytes is a copy."""
    chosen: dict[bytes, Match] = {}
    moved: set[int] = set()
    gone = which_are_gone([(root, file.path) for rows in others.values() for file, _, root in rows], buckets)
    for path, rows in sorted(others.items()):
        for file, photo, root in rows:
            is_moved = file.id not in moved and (file.id in displaced or (root.id, file.path) in gone)
            if is_moved or path not in chosen:
                chosen[path] = Match(file, photo, file.path, is_moved)
            if is_moved:
                moved.add(file.id)
                break
    return chosen
