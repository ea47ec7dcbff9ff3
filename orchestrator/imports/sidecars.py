"""The XMP files beside originals: read when they are new or changed, and remembered for the next import."""

import asyncio
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import case, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.imports.walk import FoundFile, Unit
from orchestrator.models import Root, Sidecar
from orchestrator.places.opening import Buckets, buckets_of, place_of, which_are_gone
from orchestrator.places.place import Place
from shared.contracts import storable
from shared.errors import XmpBroken
from shared.xmp import MOST_BYTES, check_size, rating_of


@dataclass(frozen=True)
class Reading:
    """A sidecar as it lies on disk now. `photo_id` says whose it is known to be; None when it is new or changed."""

    file: FoundFile
    rating: int | None
    problem: str | None
    photo_id: int | None = None


Readings = Mapping[bytes, Reading]  # by path


async def read(session: AsyncSession, root: Root, units: Sequence[Unit]) -> Readings:
    """What the sidecars of these units say. Those that are as they were are not opened. Holds no lock, like
    `matching.read_ends`."""
    found = {file.path: file for unit in units for file in unit.sidecars}
    if not found:
        return {}
    rows = await session.scalars(
        select(Sidecar).where(col(Sidecar.root_id) == root.id, col(Sidecar.path).in_(list(found)))
    )
    readings = {
        row.path: Reading(found[row.path], row.rating, row.problem, row.photo_id)
        for row in rows
        if (row.size, row.mtime_ns) == (found[row.path].size, found[row.path].mtime_ns)
    }
    strange = [file for path, file in found.items() if path not in readings]
    return readings | await asyncio.to_thread(_read_all, place_of(root, buckets_of(session)), strange)


async def record(
    session: AsyncSession, root: Root, units: Sequence[Unit], readings: Readings, owners: Mapping[bytes, int]
) -> set[int]:
    """Remember these sidecars. `owners`: path of a unit's main file -> its photo. Returns the photos about which
    their files may say something else now."""
    rows: dict[bytes, tuple[Reading, int]] = {}
    concerned: set[int] = set()
    for unit in units:
        photo_id = owners.get(unit.main.path)
        for file in unit.sidecars if photo_id else ():
            reading = readings.get(file.path)
            if photo_id is not None and reading is not None and reading.photo_id != photo_id:
                rows[file.path] = (reading, photo_id)
                concerned |= {photo_id, reading.photo_id or photo_id}
    if rows:
        concerned |= await _write(session, root, rows)
        await _forget_gone(session, root, rows)
    return concerned


async def _write(session: AsyncSession, root: Root, rows: Mapping[bytes, tuple[Reading, int]]) -> set[int]:
    """Returns whose these sidecars were: when files were renamed over each other, each has another owner now."""
    before = await session.scalars(
        select(col(Sidecar.photo_id)).where(col(Sidecar.root_id) == root.id, col(Sidecar.path).in_(list(rows)))
    )
    owners_before = set(before)
    statement = insert(Sidecar)
    changed = {name: statement.excluded[name] for name in ("size", "mtime_ns", "photo_id", "problem")}
    # One that broke said something before it did.
    rating = case((statement.excluded.problem.is_(None), statement.excluded.rating), else_=col(Sidecar.rating))
    await session.execute(
        statement.on_conflict_do_update(index_elements=["root_id", "path"], set_={**changed, "rating": rating}),
        [
            {
                "root_id": root.id,
                "path": path,
                "size": reading.file.size,
                "mtime_ns": reading.file.mtime_ns,
                "photo_id": photo_id,
                "rating": reading.rating,
                "problem": reading.problem,
            }
            for path, (reading, photo_id) in rows.items()
        ],
    )
    return owners_before


async def _forget_gone(session: AsyncSession, root: Root, rows: Mapping[bytes, tuple[Reading, int]]) -> None:
    """A sidecar that moved along with its photo is one, not two. One that merely vanished stays known: to delete a
    file says nothing about the photo."""
    others = await session.execute(
        select(Sidecar, Root)
        .join(Root, col(Root.id) == col(Sidecar.root_id))
        .where(
            col(Sidecar.photo_id).in_({photo_id for _, photo_id in rows.values()}),
            (col(Sidecar.root_id) != root.id) | col(Sidecar.path).not_in(list(rows)),
        )
    )
    gone = await asyncio.to_thread(_gone, [(other, its_root) for other, its_root in others], buckets_of(session))
    if gone:
        await session.execute(delete(Sidecar).where(col(Sidecar.id).in_(gone)))


def _gone(sidecars: Iterable[tuple[Sidecar, Root]], buckets: Buckets) -> list[int]:
    found = list(sidecars)
    gone = which_are_gone([(root, sidecar.path) for sidecar, root in found], buckets)
    return [sidecar.id for sidecar, root in found if (root.id, sidecar.path) in gone]


def _read_all(place: Place, files: Iterable[FoundFile]) -> dict[bytes, Reading]:
    return {reading.file.path: reading for reading in place.each(partial(_read, place), files)}


def _read(place: Place, file: FoundFile) -> Reading:
    """At most one byte more than may be: then it is too large."""
    try:
        check_size(file.size)
        return Reading(file, rating_of(place.read(file.path, MOST_BYTES + 1)), None)
    except XmpBroken as exc:
        return Reading(file, None, storable(exc.message))
    except OSError as exc:
        unlike_any = replace(file, mtime_ns=-1)  # nothing in the file need change for another attempt to pass
        return Reading(unlike_any, None, f"It cannot be read: {os.strerror(exc.errno or 0)}.")
