"""The person's decisions about photos: written down with what was true before, so that each can be undone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from sqlalchemy import exists, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator import events
from orchestrator.bursts import sizes as bursts
from orchestrator.models import MergedPhoto, Photo, Project, RatingEvent
from orchestrator.taste import service as taste

Source = Literal["person", "file", "undo"]
Value = int | bool | str | datetime | list[str] | None

# What a person decides about a photo. Nothing else is changed here.
DECIDED = frozenset(
    {
        "user_rating", "manual_match", "kept_at", "rejected_at", "project_id", "tags",
        "burst_best_at", "burst_dissolved_at",
    }
)  # fmt: skip
_AT_ONCE = 1_000


@dataclass(frozen=True)
class Change:
    """What is to be true of a photo: columns of DECIDED and their new values."""

    photo_id: int
    fields: Mapping[str, Value]


@dataclass(frozen=True)
class Decision:
    """`batch` undoes it; None when nothing was changed. `photo_ids` are those that changed."""

    batch: UUID | None
    photo_ids: list[int]


async def decide(
    session: AsyncSession,
    changes: Sequence[Change],
    source: Source = "person",
    *,
    batch: UUID | None = None,
    undoes: UUID | None = None,
) -> Decision:
    """Apply these changes as one decision. Photos that are not there, or have been removed, are passed over, and so
    is what is true already. A changed rating asks for a training.

    Who names the `batch` may ask twice, for want of an answer perhaps: what was decided once is not decided again.
    `undoes` is the batch that this one takes back.
    """
    asked_before = await _asked_before(session, batch, changes) if batch else None
    if asked_before:
        return asked_before
    batch, changed, is_taste_changed = batch or uuid4(), list[int](), False
    wanted = {change.photo_id: change.fields for change in changes}
    ids = sorted(wanted)
    for start in range(0, len(ids), _AT_ONCE):
        rows: list[dict[str, Any]] = []  # Any: columns of RatingEvent
        for photo in await locked(session, ids[start : start + _AT_ONCE]):
            before, after = _difference(photo, wanted[photo.id])
            if not after:
                continue
            is_taste_changed |= _concerns_taste(photo, after)
            for name, value in wanted[photo.id].items():
                setattr(photo, name, value)
            event = {"batch": batch, "undoes": undoes, "photo_id": photo.id, "source": source}
            rows.append({**event, "before": before, "after": after})
        if rows:
            await session.flush()
            await session.execute(insert(RatingEvent), rows)
            changed += [int(row["photo_id"]) for row in rows]
    if is_taste_changed:
        await taste.request_training(session)
    if changed:
        await bursts.follow_decisions(session, changed)
        await events.record(session, events.PHOTOS, changed)
    return Decision(batch if changed else None, changed)


async def undo(session: AsyncSession, batch: UUID, *, as_batch: UUID | None = None) -> Decision:
    """Take a decision back, as a decision of its own, which can be undone in turn. What was changed again since
    stays as it is, and what was taken back before is not taken back again."""
    rows = await session.scalars(
        select(RatingEvent).where(col(RatingEvent.batch) == batch).order_by(col(RatingEvent.id).desc())
    )
    made = rows.all()
    photos = {photo.id: photo for photo in await locked(session, [event.photo_id for event in made])}
    if as_batch and (before := await _asked_before(session, as_batch, [])):
        return before
    if await session.scalar(select(exists().where(col(RatingEvent.undoes) == batch))):
        return Decision(None, [])
    there = await _projects_there(session, made)
    changes = [
        Change(event.photo_id, _taken_back(photos[event.photo_id], event, there))
        for event in made
        if event.photo_id in photos
    ]
    return await decide(session, changes, "undo", batch=as_batch, undoes=batch)


async def locked(session: AsyncSession, ids: Sequence[int]) -> Sequence[Photo]:
    """The photos that are there, as they are now, until the end of the transaction. In the order of their ids, so that
    two decisions never wait for each other in a circle."""
    found: list[Photo] = []
    ordered = sorted(set(ids))
    for start in range(0, len(ordered), _AT_ONCE):
        rows = await session.scalars(
            select(Photo)
            .where(col(Photo.id).in_(ordered[start : start + _AT_ONCE]), col(Photo.deleted_at).is_(None))
            .order_by(col(Photo.id))
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        found += rows
    return found


async def where_they_are(session: AsyncSession, ids: Sequence[int]) -> list[int]:
    """The same photos by the numbers they have now, should imports have merged some of them into others."""
    rows = await session.scalars(select(MergedPhoto).where(col(MergedPhoto.photo_id).in_(ids)))
    merged = {row.photo_id: row.into_id for row in rows}
    return [merged.get(id_, id_) for id_ in ids]


async def _asked_before(session: AsyncSession, batch: UUID, changes: Sequence[Change]) -> Decision | None:
    """The decision that this batch is already. Looked for under the locks: the same may be under way elsewhere."""
    await locked(session, [change.photo_id for change in changes])
    rows = await session.scalars(
        select(col(RatingEvent.photo_id)).where(col(RatingEvent.batch) == batch).order_by(col(RatingEvent.photo_id))
    )
    ids = list(dict.fromkeys(rows))
    return Decision(batch, ids) if ids else None


async def _projects_there(session: AsyncSession, made: Sequence[RatingEvent]) -> set[int]:
    wanted = {event.before["project_id"] for event in made if event.before.get("project_id")}
    return set(await session.scalars(select(col(Project.id)).where(col(Project.id).in_(wanted)))) if wanted else set()


def _taken_back(photo: Photo, event: RatingEvent, projects_there: set[int]) -> dict[str, Value]:
    as_decided = [name for name, value in event.after.items() if _as_json(getattr(photo, name)) == value]
    fields = {name: _from_json(name, event.before[name]) for name in as_decided}
    if fields.get("project_id") not in {None, *projects_there}:
        del fields["project_id"]
    # Another rating or pick since then keeps the photo too.
    is_rated = fields.get("user_rating", photo.user_rating) is not None
    is_picked = fields.get("manual_match", photo.manual_match)
    if event.after.keys() & {"user_rating", "manual_match"} and (is_rated or is_picked):
        fields.pop("kept_at", None)
    return fields


def _difference(photo: Photo, fields: Mapping[str, Value]) -> tuple[dict[str, Any], dict[str, Any]]:
    if unknown := fields.keys() - DECIDED:
        raise ValueError(f"not a decision: {sorted(unknown)}")
    changed = {name for name, value in fields.items() if getattr(photo, name) != value}
    return (
        {name: _as_json(getattr(photo, name)) for name in changed},
        {name: _as_json(fields[name]) for name in changed},
    )


def _concerns_taste(photo: Photo, after: Mapping[str, Any]) -> bool:
    return "user_rating" in after or ("rejected_at" in after and photo.user_rating is not None)


def _as_json(value: Value) -> Any:  # Any: JSON
    return value.isoformat() if isinstance(value, datetime) else value


def _from_json(name: str, value: Any) -> Value:  # Any: JSON
    return datetime.fromisoformat(value) if name.endswith("_at") and value is not None else value
