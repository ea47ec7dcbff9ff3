"""What is written down before a file is renamed, and what is made of it afterwards. Every function runs in the
caller's transaction, under the identity lock: paths of photos change here."""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator import events
from orchestrator.imports.folders import shown
from orchestrator.imports.moving import root_key
from orchestrator.models import COMPANION, ORIGINAL, Root, SetAside
from orchestrator.models.rejects import ASIDE, MOVING, RETURNED, RETURNING
from orchestrator.rejects.inspection import Group
from shared.claims import claim_of

WAITING = "('queued', 'published', 'retrying', 'held')"  # runs that somebody may be reading an original for


@dataclass(frozen=True)
class Outcome:
    """Where a file of the journal was seen: whether it got to the place that it was on its way to."""

    entry: SetAside
    has_arrived: bool


async def intend(session: AsyncSession, root: Root, batch: UUID, groups: Sequence[Group]) -> list[SetAside]:
    """Write down what is to be set aside. Decisions are read again, and locked until the commit: a photo that is not
    rejected now is left out, and so are sidecars that it shares. Nor is one whose files are others by now, or are
    being read."""
    gone = await _going(session, root, groups)
    rows = [
        {
            "batch": batch,
            "root_id": root.id,
            "photo_id": group.photo_id,
            **{name: getattr(step, name) for name in ("role", "path", "aside_path", "size", "mtime_ns")},
            "state": MOVING,
        }
        for group in groups
        if group.photo_id in gone
        for step in group.steps
        if step.shared_with <= gone
    ]
    if not rows:
        return []
    entries = await session.scalars(insert(SetAside).returning(SetAside, sort_by_parameter_order=True), rows)
    return list(entries)


async def _going(session: AsyncSession, root: Root, groups: Sequence[Group]) -> set[int]:
    files = {group.photo_id: {s.path for s in group.steps if s.role in (ORIGINAL, COMPANION)} for group in groups}
    locked = await session.scalars(
        text(
            "SELECT id FROM photos WHERE id = ANY(:ids) AND rejected_at IS NOT NULL AND deleted_at IS NULL"
            " AND NOT EXISTS"
            f" (SELECT 1 FROM stage_runs WHERE photo_id = photos.id AND gate = :gate AND state IN {WAITING})"
            " AND EXISTS (SELECT 1 FROM roots WHERE roots.id = :root AND path = :path AND state = 'online')"
            " ORDER BY id FOR UPDATE"
        ),
        {"ids": list(files), "gate": root_key(root.id), "root": root.id, "path": root.path},
    )
    rejected = list(locked)
    rows = await session.execute(
        text(
            "SELECT photo_id, array_agg(path) FROM photo_files WHERE photo_id = ANY(:ids) AND root_id = :root"
            f" AND role IN ('{ORIGINAL}', '{COMPANION}') AND path = ANY(:paths) GROUP BY photo_id"
        ),
        {"ids": rejected, "root": root.id, "paths": [path for paths in files.values() for path in paths]},
    )
    return {photo_id for photo_id, paths in rows if set(paths) == files[photo_id]}


async def recall(
    session: AsyncSession, entries: Sequence[SetAside], sizes: Mapping[int, tuple[int, int]], strays: Sequence[SetAside]
) -> None:
    """Write down that these are to come back: with the size and time that they have now, and with the sidecars that
    other programs made beside them."""
    for entry in entries:
        entry.size, entry.mtime_ns = sizes[entry.id]
        entry.state = RETURNING
    await session.execute(
        text(
            "UPDATE set_aside SET state = :state, size = seen.size, mtime_ns = seen.mtime_ns, changed_at = now()"
            " FROM unnest(CAST(:ids AS bigint[]), CAST(:sizes AS bigint[]), CAST(:times AS bigint[]))"
            " AS seen (id, size, mtime_ns) WHERE set_aside.id = seen.id"
        ),
        {
            "state": RETURNING,
            "ids": [entry.id for entry in entries],
            "sizes": [entry.size for entry in entries],
            "times": [entry.mtime_ns for entry in entries],
        },
    )
    session.add_all(strays)
    await session.flush()


async def settle(session: AsyncSession, root: Root, outcomes: Sequence[Outcome]) -> None:
    """Bring the archive in line with what lies on the disk. What did not arrive is where it was."""
    arrived = [one.entry for one in outcomes if one.has_arrived]
    stayed = [one.entry for one in outcomes if not one.has_arrived]
    going = [entry for entry in arrived if entry.state == MOVING]
    coming = [entry for entry in arrived if entry.state == RETURNING]
    await _relocate(session, root, going, [(entry.path, entry.aside_path) for entry in going])
    await _relocate(session, root, coming, [(entry.aside_path, entry.path) for entry in coming])
    await _mark(session, going, ASIDE)
    await _mark(session, coming, RETURNED)
    await _mark(session, [entry for entry in stayed if entry.state == RETURNING], ASIDE)
    never = [entry.id for entry in stayed if entry.state == MOVING]
    await session.execute(delete(SetAside).where(col(SetAside.id).in_(never)))
    photos = sorted({one.entry.photo_id for one in outcomes if one.entry.photo_id is not None})
    if photos:
        await events.record(session, events.PHOTOS, photos)


async def under_way(session: AsyncSession, root_id: int) -> list[SetAside]:
    """What was interrupted: nobody who holds the lock moves it."""
    query = select(SetAside).where(col(SetAside.root_id) == root_id, col(SetAside.state).in_((MOVING, RETURNING)))
    return list(await session.scalars(query.order_by(col(SetAside.id)).limit(1_000)))


async def _mark(session: AsyncSession, entries: Iterable[SetAside], state: str) -> None:
    ids = [entry.id for entry in entries]
    await session.execute(
        update(SetAside).where(col(SetAside.id).in_(ids)).values(state=state, changed_at=text("now()"))
    )


async def _relocate(
    session: AsyncSession, root: Root, entries: Sequence[SetAside], ways: Collection[tuple[bytes, bytes]]
) -> None:
    """These files have the second path now, not the first. Whatever was known of the second is no longer there: its
    name was free."""
    if not entries:
        return
    values: dict[str, Any] = {  # Any: parameters of the statements
        "root": root.id,
        "photos": [entry.photo_id for entry in entries],
        "old": [old for old, _ in ways],
        "new": [new for _, new in ways],
    }
    for statement in _FILES_FOLLOW:
        await session.execute(text(statement), {name: values[name] for name in values if f":{name}" in statement})
    originals = [(e.photo_id, new) for e, (_, new) in zip(entries, ways, strict=True) if e.role == ORIGINAL]
    await session.execute(
        text(
            "UPDATE photos SET file_path = way.path FROM unnest(CAST(:ids AS bigint[]), CAST(:paths AS text[]))"
            " AS way (id, path) WHERE photos.id = way.id AND root_id = :root"
        ),
        {
            "root": root.id,
            "ids": [id_ for id_, _ in originals],
            "paths": [f"{root.label.rstrip('/')}/{shown(new)}" for _, new in originals],
        },
    )
    await _tell_runs(session, root, entries, ways)


_WAYS = "unnest(CAST(:photos AS bigint[]), CAST(:old AS bytea[]), CAST(:new AS bytea[])) AS way (photo, old, new)"
_FILES_FOLLOW = (
    "DELETE FROM photo_files WHERE root_id = :root AND path = ANY(CAST(:new AS bytea[]))"
    f" AND EXISTS (SELECT 1 FROM {_WAYS} JOIN photo_files there ON there.root_id = :root AND there.path = way.old"
    " WHERE way.new = photo_files.path)",
    "DELETE FROM sidecars WHERE root_id = :root AND path = ANY(CAST(:new AS bytea[]))"
    f" AND EXISTS (SELECT 1 FROM {_WAYS} JOIN sidecars there ON there.root_id = :root AND there.path = way.old"
    " WHERE way.new = sidecars.path)",
    f"UPDATE photo_files SET path = way.new FROM {_WAYS}"
    " WHERE root_id = :root AND path = way.old AND photo_id = way.photo",
    f"UPDATE sidecars SET path = way.new FROM {_WAYS} WHERE root_id = :root AND path = way.old",
)


async def _tell_runs(
    session: AsyncSession, root: Root, entries: Sequence[SetAside], ways: Collection[tuple[bytes, bytes]]
) -> None:
    """What is carried out again goes by the request that is kept: it names the file where it lies."""
    for field in ("file_path", "companion"):
        await session.execute(
            text(
                f"UPDATE stage_runs SET request = request || jsonb_build_object('{field}', way.new)"
                " FROM unnest(CAST(:photos AS bigint[]), CAST(:old AS text[]), CAST(:new AS text[]))"
                " AS way (photo, old, new)"
                f" WHERE photo_id = way.photo AND gate = :gate AND request->>'{field}' = way.old"
            ),
            {
                "photos": [entry.photo_id for entry in entries],
                "old": [claim_of(os.path.join(root.path, old)) for old, _ in ways],
                "new": [claim_of(os.path.join(root.path, new)) for _, new in ways],
                "gate": root_key(root.id),
            },
        )
