"""Which originals are to be set aside or brought back, and how much room they take."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.models import COMPANION, ORIGINAL, Photo, RejectsBatch, SetAside
from orchestrator.models.rejects import ASIDE, RETURNED
from orchestrator.rejects.inspection import Candidate, KnownFile
from orchestrator.rejects.views import Amount, Aside, Batch

MOVING_LOCK = 0x72656A6563  # advisory lock: one of all processes on a database moves originals

_IN_PLACE = f"""
    file.root_id = :root AND photos.deleted_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM set_aside WHERE set_aside.root_id = file.root_id
      AND set_aside.aside_path = file.path AND set_aside.state <> '{RETURNED}')
"""
_TO_MOVE = f"photos.rejected_at IS NOT NULL AND file.role IN ('{ORIGINAL}', '{COMPANION}') AND {_IN_PLACE}"
_FILES = "photo_files AS file JOIN photos ON photos.id = file.photo_id"


@dataclass(frozen=True)
class Wanted:
    """What is to be brought back of a root."""

    root_id: int
    batch: UUID | None = None
    photo_ids: Collection[int] | None = None
    only_restored: bool = False


async def rejected(session: AsyncSession, root_id: int) -> Amount:
    """What would be set aside, by what is known of it."""
    query = f"SELECT count(DISTINCT photos.id), coalesce(sum(file.size), 0)::bigint FROM {_FILES} WHERE {_TO_MOVE}"
    photos, size = (await session.execute(text(query), {"root": root_id})).one()
    return Amount(photos=photos, bytes=size)


async def kept(session: AsyncSession, root_id: int) -> Amount:
    """Photos that are not rejected, with their copies, as far as they are where they belong."""
    query = (
        f"SELECT count(DISTINCT photos.id), coalesce(sum(file.size), 0)::bigint FROM {_FILES}"
        f" WHERE photos.rejected_at IS NULL AND {_IN_PLACE}"
    )
    photos, size = (await session.execute(text(query), {"root": root_id})).one()
    return Amount(photos=photos, bytes=size)


async def candidates(session: AsyncSession, root_id: int, after: int, limit: int) -> list[Candidate]:
    """In the order of their photos."""
    query = (  # along the index of rejected photos: in an archive of a million it is asked for each fifty of them
        "SELECT id FROM photos WHERE rejected_at IS NOT NULL AND deleted_at IS NULL AND id > :after"
        f" AND EXISTS (SELECT 1 FROM photo_files AS file WHERE file.photo_id = photos.id AND {_TO_MOVE})"
        " ORDER BY id LIMIT :limit"
    )
    ids = list(await session.scalars(text(query), {"root": root_id, "after": after, "limit": limit}))
    rows = await session.execute(
        text(
            "SELECT photos.id, file.path, file.role, file.size, file.mtime_ns, file.quick_hash, file.content_hash"
            f" FROM {_FILES} WHERE {_TO_MOVE} AND photos.id = ANY(:ids) ORDER BY photos.id, file.id"
        ),
        {"root": root_id, "ids": ids},
    )
    files: dict[int, list[KnownFile]] = {id_: [] for id_ in ids}
    for photo_id, *said in rows:
        files[photo_id].append(KnownFile(*said))
    return [Candidate(id_, tuple(known)) for id_, known in files.items()]


async def sidecars_read(session: AsyncSession, root_id: int, paths: Sequence[bytes]) -> Mapping[bytes, tuple[int, int]]:
    """Size and time of these sidecars when they were read."""
    rows = await session.execute(
        text("SELECT path, size, mtime_ns FROM sidecars WHERE root_id = :root AND path = ANY(:paths)"),
        {"root": root_id, "paths": list(paths)},
    )
    return {path: (size, mtime_ns) for path, size, mtime_ns in rows}


async def known_paths(session: AsyncSession, root_id: int, paths: Sequence[bytes]) -> set[bytes]:
    """Those of these paths that the archive or the journal has a file for, there or not."""
    rows = await session.scalars(
        text(
            "SELECT path FROM photo_files WHERE root_id = :root AND path = ANY(:paths)"
            " UNION SELECT path FROM sidecars WHERE root_id = :root AND path = ANY(:paths)"
            " UNION SELECT aside_path FROM set_aside WHERE root_id = :root AND aside_path = ANY(:paths)"
            f" AND state <> '{RETURNED}'"
        ),
        {"root": root_id, "paths": list(paths)},
    )
    return set(rows)


async def aside(session: AsyncSession, wanted: Wanted, after: int, limit: int) -> list[SetAside]:
    """What lies aside, of so many photos, in the order of `key_of`."""
    key = "coalesce(photo_id, -id)"
    query = (
        f"SELECT DISTINCT {key} AS key FROM set_aside WHERE {_wanted(wanted)} AND {key} > :after"
        " ORDER BY key LIMIT :limit"
    )
    values = _values(wanted)
    keys = list(await session.scalars(text(query), {**values, "after": after, "limit": limit}))
    rows = text(f"SELECT id FROM set_aside WHERE {_wanted(wanted)} AND {key} = ANY(:keys)")
    ids = list(await session.scalars(rows, {**values, "keys": keys}))
    entries = await session.scalars(select(SetAside).where(col(SetAside.id).in_(ids)))
    return sorted(entries, key=lambda entry: (key_of(entry), entry.id))


async def next_aside(session: AsyncSession, root_id: int, after: bytes, limit: int) -> list[tuple[int, bytes]]:
    """Files that lie aside, or are on their way, and where: in the order of their paths."""
    rows = await session.execute(
        text(
            f"SELECT id, aside_path FROM set_aside WHERE root_id = :root AND state <> '{RETURNED}'"
            " AND aside_path > :after ORDER BY aside_path LIMIT :limit"
        ),
        {"root": root_id, "after": after, "limit": limit},
    )
    return [(id_, path) for id_, path in rows]


async def lies_aside(session: AsyncSession, root_id: int, missing: Collection[int]) -> Aside:
    """Of how many photos, without these entries."""
    row = await session.execute(
        text(
            "SELECT count(DISTINCT coalesce(photo_id, -set_aside.id)), coalesce(sum(size), 0)::bigint,"
            f" count(DISTINCT photos.id) FILTER (WHERE {RESTORED})"
            " FROM set_aside LEFT JOIN photos ON photos.id = photo_id WHERE set_aside.root_id = :root"
            f" AND state <> '{RETURNED}' AND NOT EXISTS (SELECT 1"
            " FROM unnest(CAST(:missing AS bigint[])) AS missing (id) WHERE missing.id = set_aside.id)"
        ),
        {"root": root_id, "missing": list(missing)},
    )
    photos, size, restored_photos = row.one()
    return Aside(photos=photos, bytes=size, restored=restored_photos, missing=len(missing))


def key_of(entry: SetAside) -> int:
    """Files of one photo have the same."""
    return -entry.id if entry.photo_id is None else entry.photo_id


async def count_aside(session: AsyncSession, wanted: Wanted) -> int:
    """Of how many photos something lies aside."""
    query = f"SELECT count(DISTINCT coalesce(photo_id, -id)) FROM set_aside WHERE {_wanted(wanted)}"
    return int(await session.scalar(text(query), _values(wanted)) or 0)


def _wanted(wanted: Wanted) -> str:
    conditions = ["set_aside.root_id = :root", f"set_aside.state = '{ASIDE}'"]
    if wanted.batch is not None:
        conditions.append("set_aside.batch = :batch")
    if wanted.photo_ids is not None:
        conditions.append("set_aside.photo_id = ANY(:photos)")
    if wanted.only_restored:
        conditions.append(f"set_aside.photo_id IN (SELECT id FROM photos WHERE {RESTORED})")
    return " AND ".join(conditions)


RESTORED = "rejected_at IS NULL AND deleted_at IS NULL"  # of photos that were set aside


def _values(wanted: Wanted) -> dict[str, object]:
    values: dict[str, object] = {"root": wanted.root_id}
    if wanted.batch is not None:
        values["batch"] = wanted.batch
    if wanted.photo_ids is not None:
        values["photos"] = list(wanted.photo_ids)
    return values


async def restored(session: AsyncSession, photo_ids: Collection[int]) -> set[int]:
    """Those of these photos that are not rejected any more."""
    query = select(col(Photo.id)).where(
        col(Photo.id).in_(photo_ids), col(Photo.rejected_at).is_(None), col(Photo.deleted_at).is_(None)
    )
    return set(await session.scalars(query))


async def roots_of(session: AsyncSession, *, batch: UUID | None, photo_ids: Collection[int] | None) -> set[int]:
    """Where what a batch, or these photos, set aside lies."""
    query = select(col(SetAside.root_id)).where(col(SetAside.state) == ASIDE).distinct()
    query = query.where(col(SetAside.batch) == batch if photo_ids is None else col(SetAside.photo_id).in_(photo_ids))
    return set(await session.scalars(query))


async def roots_under_way(session: AsyncSession) -> list[int]:
    """Where something was on its way, perhaps by somebody who moves it now."""
    rows = text("SELECT DISTINCT root_id FROM set_aside WHERE state IN ('moving', 'returning') ORDER BY root_id")
    return list(await session.scalars(rows))


async def batch(session: AsyncSession, id_: UUID) -> Batch | None:
    row = await session.get(RejectsBatch, id_, populate_existing=True)
    return None if row is None else (await _as_they_are(session, [row]))[0]


async def newest(session: AsyncSession) -> list[Batch]:
    """The newest of each root."""
    query = select(RejectsBatch).ext(distinct_on(col(RejectsBatch.root_id)))
    query = query.order_by(col(RejectsBatch.root_id), col(RejectsBatch.started_at).desc())
    return await _as_they_are(session, list(await session.scalars(query)))


async def _as_they_are(session: AsyncSession, rows: Sequence[RejectsBatch]) -> list[Batch]:
    """One that says it runs, while nobody moves anything, has ended with its process."""
    found = [Batch.model_validate({**row.seen, "root_id": row.root_id}) for row in rows]
    if any(one.state == "running" for one in found) and not await _is_locked(session):
        over = [one.model_copy(update={"state": "stopped", "error": ENDED}) for one in found if one.state == "running"]
        found = [one for one in found if one.state != "running"] + over
    return found


ENDED = "Keepers was ended meanwhile. Nothing is lost: ask for the same again, and it goes on."


async def _is_locked(session: AsyncSession) -> bool:
    held = text(
        "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND (classid::bigint << 32) + objid::bigint = :key)"
    )
    return bool(await session.scalar(held, {"key": MOVING_LOCK}))
