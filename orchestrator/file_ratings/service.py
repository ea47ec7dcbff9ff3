"""Ratings that lie in files count as the person's, where the person said nothing here. Where both spoke and differ,
the difference is listed and nothing is changed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Row, delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator import events, identity_lock
from orchestrator.answers import Refused
from orchestrator.imports.folders import shown
from orchestrator.models import Photo, RatingConflict
from orchestrator.review.service import Change, Decision, Value, decide
from orchestrator.write_back import due as due_sidecars
from shared.xmp import REJECTED

Choice = Literal["ours", "theirs"]
OPEN, KEPT_OURS, TOOK_THEIRS = "open", "kept_ours", "took_theirs"


@dataclass(frozen=True)
class _Voices:
    """What the files of a photo say about it, and what was decided here. A rating is 1-5, or REJECTED."""

    photo_id: int
    said: int | None  # by the newest sidecar that says anything, else by the file itself
    file_path: str  # where that was read, to show
    user_rating: int | None
    kept_at: datetime | None
    rejected_at: datetime | None
    rated_here: bool  # the person gave, took back or cleared a rating, or rejected or restored the photo
    kept_here: bool
    applied: Mapping[str, Any]  # what files decided so far. Any: JSON
    spoke_last: str | None  # the source of the last decision
    conflict: str | None  # state of the one that is known

    @property
    def present(self) -> int | None:
        return REJECTED if self.rejected_at else self.user_rating

    @property
    def said_before(self) -> int | None:
        return REJECTED if self.applied.get("rejected_at") else self.applied.get("user_rating")

    @property
    def is_free(self) -> bool:
        """Whether the file may decide."""
        if self.conflict == TOOK_THEIRS and self.spoke_last == "file":
            return True
        if self.rated_here or (self.kept_here and self.said == REJECTED):
            return False
        return self.present in (None, self.said_before)


async def heed(session: AsyncSession, photo_ids: Collection[int]) -> None:
    """Something about the files of these photos has changed: decide what they say now, or list it as a conflict.
    To be called under the identity lock; calling it again changes nothing."""
    if not photo_ids:
        return
    changes: list[Change] = []
    listed: list[_Voices] = []
    over: list[int] = []
    await _lock(session, photo_ids)
    for photo in await _voices(session, photo_ids):
        differs = photo.said != photo.present
        if differs and photo.is_free:
            changes.append(_change(photo))
        elif differs and photo.said not in (None, photo.said_before):
            listed.append(photo)
            continue
        if photo.conflict == OPEN:
            over.append(photo.photo_id)
    await decide(session, changes, "file")
    await _list(session, listed)
    if over:
        await session.execute(delete(RatingConflict).where(col(RatingConflict.photo_id).in_(over)))
    await note_carriers(session, photo_ids)


async def withdraw(session: AsyncSession, photo: Photo, other: Photo) -> None:
    """Before two photos become one: what only files decided steps back, so that it neither counts as the person's
    nor stands in the way of what the person said about the other. `heed` decides again."""
    if (photo.user_rating, photo.kept_at, photo.rejected_at) == (None, None, None):
        return
    rows = await session.execute(
        text(
            "SELECT photo_id, bool_and(source = 'file') FROM rating_events WHERE photo_id = ANY(:ids)"
            " AND jsonb_exists_any(after, ARRAY['user_rating', 'kept_at', 'rejected_at']) GROUP BY 1"
        ),
        {"ids": [photo.id, other.id]},
    )
    for photo_id, is_only_files in rows:
        if is_only_files:
            one = photo if photo_id == photo.id else other
            one.user_rating = one.kept_at = one.rejected_at = None
            await session.execute(
                text("DELETE FROM rating_events WHERE photo_id = :id AND source = 'file'"), {"id": photo_id}
            )


async def resolve(session: AsyncSession, conflict_id: int, choice: Choice) -> Decision:
    """Settle one conflict. Raises Refused when there is none, or when it was settled already."""
    await identity_lock.take(session)
    conflict = await session.get(RatingConflict, conflict_id, with_for_update=True)
    if conflict is None:
        raise Refused(404, "unknown_conflict", "There is no such difference; perhaps it has gone.")
    if conflict.state != OPEN:
        raise Refused(409, "conflict_settled", "This difference was settled already.")
    return await _settle(session, [conflict], choice)


async def resolve_all(session: AsyncSession, choice: Choice) -> Decision:
    """Settle every open conflict in one decision."""
    await identity_lock.take(session)
    rows = await session.scalars(
        select(RatingConflict).where(col(RatingConflict.state) == OPEN).order_by(col(RatingConflict.photo_id))
    )
    return await _settle(session, rows.all(), choice)


async def _settle(session: AsyncSession, conflicts: Sequence[RatingConflict], choice: Choice) -> Decision:
    for conflict in conflicts:
        conflict.state = KEPT_OURS if choice == "ours" else TOOK_THEIRS
    await session.flush()
    await events.record(session, events.IMPORTS, await _imports_of(session, conflicts))
    if choice == "ours":
        await due_sidecars.note(session, [conflict.photo_id for conflict in conflicts])
        return Decision(None, [])
    kept = {row.photo_id: row.kept_at for row in await _voices(session, [one.photo_id for one in conflicts])}
    changes = [
        Change(one.photo_id, _fields(one.file_rating, kept[one.photo_id])) for one in conflicts if one.photo_id in kept
    ]
    return await decide(session, changes, "file")


async def _imports_of(session: AsyncSession, conflicts: Sequence[RatingConflict]) -> list[int]:
    rows = await session.scalars(
        text("SELECT DISTINCT import_id FROM import_items WHERE photo_id = ANY(:ids) ORDER BY 1 DESC LIMIT 100"),
        {"ids": [conflict.photo_id for conflict in conflicts]},
    )
    return list(rows)


def _change(photo: _Voices) -> Change:
    return Change(photo.photo_id, _fields(photo.said, photo.kept_at))


def _fields(said: int | None, kept_at: datetime | None) -> dict[str, Value]:
    """As if it were said here: stars keep a photo, and a no leaves the rest as it is."""
    now = datetime.now(UTC)
    if said == REJECTED:
        return {"rejected_at": now}
    if said is None:
        return {"user_rating": None, "rejected_at": None}
    return {"user_rating": said, "kept_at": kept_at or now, "rejected_at": None}


async def _lock(session: AsyncSession, photo_ids: Collection[int]) -> None:
    """Whoever is deciding about these photos at this moment is heard first."""
    await session.flush()
    await session.execute(
        text("SELECT 1 FROM photos WHERE id = ANY(:ids) ORDER BY id FOR UPDATE"), {"ids": sorted(photo_ids)}
    )


async def _list(session: AsyncSession, photos: Sequence[_Voices]) -> None:
    """A photo has one conflict at most; one that was settled is opened again only when the file says a new thing."""
    if not photos:
        return
    statement = insert(RatingConflict)
    new = statement.excluded
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["photo_id"],
            set_={"file_rating": new.file_rating, "file_path": new.file_path, "state": OPEN},
            where=col(RatingConflict.file_rating) != new.file_rating,
        ),
        [{"photo_id": photo.photo_id, "file_path": photo.file_path, "file_rating": photo.said} for photo in photos],
    )


async def _voices(session: AsyncSession, photo_ids: Collection[int]) -> list[_Voices]:
    rows = await session.execute(_VOICES, {"ids": sorted(photo_ids)})
    return [_voices_of(row) for row in rows]


def _voices_of(row: Row[Any]) -> _Voices:  # Any: the columns of _VOICES
    applied: dict[str, Any] = {}
    for decided in row.applied or ():
        applied |= decided
    return _Voices(
        photo_id=row.photo_id,
        said=row.said,
        file_path=row.file_path if row.path is None else f"{row.label.rstrip('/')}/{shown(row.path)}",
        user_rating=row.user_rating,
        kept_at=row.kept_at,
        rejected_at=row.rejected_at,
        rated_here=bool(row.rated_here),
        kept_here=bool(row.kept_here),
        applied=applied,
        spoke_last=row.spoke_last,
        conflict=row.conflict,
    )


_VOICES = text(
    """
    SELECT photos.id AS photo_id, coalesce(newest.rating, embedded_rating) AS said, newest.path, newest.label,
      photos.file_path, user_rating, kept_at, rejected_at, rated_here, kept_here, applied, spoke_last,
      conflict.state AS conflict
    FROM photos
    LEFT JOIN LATERAL (
      SELECT rating, sidecars.path, label FROM sidecars JOIN roots ON roots.id = root_id
      WHERE photo_id = photos.id AND rating IS NOT NULL ORDER BY mtime_ns DESC, sidecars.id DESC LIMIT 1
    ) newest ON true
    LEFT JOIN LATERAL (
      SELECT bool_or(source <> 'file' AND jsonb_exists_any(after, ARRAY['user_rating', 'rejected_at'])) AS rated_here,
        bool_or(source <> 'file' AND jsonb_exists(after, 'kept_at')) AS kept_here,
        array_agg(after ORDER BY id) FILTER (WHERE source = 'file') AS applied,
        (array_agg(source ORDER BY id DESC))[1] AS spoke_last
      FROM rating_events WHERE photo_id = photos.id
        AND jsonb_exists_any(after, ARRAY['user_rating', 'kept_at', 'rejected_at'])
    ) heard ON true
    LEFT JOIN rating_conflicts conflict ON conflict.photo_id = photos.id
    WHERE photos.id = ANY(:ids) AND deleted_at IS NULL
    """
)


async def note_carriers(session: AsyncSession, photo_ids: Collection[int]) -> None:
    """Whether the files of these photos carry a rating, written to the items and counts of every import."""
    rows = await session.execute(
        text(
            """
            UPDATE import_items SET carries_rating = now.carries FROM (
              SELECT id, embedded_rating IS NOT NULL OR EXISTS (
                SELECT 1 FROM sidecars WHERE photo_id = photos.id AND rating IS NOT NULL) AS carries
              FROM photos WHERE id = ANY(:ids)) AS now
            WHERE import_items.photo_id = now.id AND carries_rating <> now.carries
            RETURNING import_id, CASE WHEN carries_rating THEN 1 ELSE -1 END
            """
        ),
        {"ids": sorted(photo_ids)},
    )
    changes: dict[int, int] = {}
    for import_id, change in rows:
        changes[import_id] = changes.get(import_id, 0) + change
    for import_id in sorted(changes):
        await session.execute(
            text("UPDATE imports SET with_rating = with_rating + :change WHERE id = :id"),
            {"id": import_id, "change": changes[import_id]},
        )
