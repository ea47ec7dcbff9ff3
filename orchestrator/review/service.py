"""The person's decisions about photos: written down with what was true before, so that each can be undone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator import events
from orchestrator.models import Photo, RatingEvent
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


async def decide(session: AsyncSession, changes: Sequence[Change], source: Source = "person") -> Decision:
    """Apply these changes as one decision. Photos that are not there, or have been removed, are passed over, and so
    is what is true already. A changed rating asks for a training."""
    batch, changed, is_taste_changed = uuid4(), list[int](), False
    wanted = {change.photo_id: change.fields for change in changes}
    ids = sorted(wanted)
    for start in range(0, len(ids), _AT_ONCE):
        rows: list[dict[str, Any]] = []  # Any: columns of RatingEvent
        for photo in await _locked(session, ids[start : start + _AT_ONCE]):
            before, after = _difference(photo, wanted[photo.id])
            if not after:
                continue
            is_taste_changed |= _concerns_taste(photo, after)
            for name, value in wanted[photo.id].items():
                setattr(photo, name, value)
            rows.append({"batch": batch, "photo_id": photo.id, "source": source, "before": before, "after": after})
        if rows:
            await session.flush()
            await session.execute(insert(RatingEvent), rows)
            changed += [int(row["photo_id"]) for row in rows]
    if is_taste_changed:
        await taste.request_training(session)
    if changed:
        await events.record(session, events.PHOTOS, changed)
    return Decision(batch if changed else None, changed)


async def undo(session: AsyncSession, batch: UUID) -> Decision:
    """Take a decision back, as a decision of its own, which can be undone in turn. What was changed again since
    stays as it is."""
    rows = await session.scalars(
        select(RatingEvent).where(col(RatingEvent.batch) == batch).order_by(col(RatingEvent.photo_id))
    )
    made = rows.all()
    photos = {photo.id: photo for photo in await _locked(session, [event.photo_id for event in made])}
    changes = []
    for event in made:
        photo = photos.get(event.photo_id)
        if photo is None:
            continue
        as_decided = [name for name, value in event.after.items() if _as_json(getattr(photo, name)) == value]
        changes.append(Change(photo.id, {name: _from_json(name, event.before[name]) for name in as_decided}))
    return await decide(session, changes, "undo")


async def _locked(session: AsyncSession, ids: Sequence[int]) -> Sequence[Photo]:
    """In the order of their ids, so that two decisions never wait for each other in a circle."""
    rows = await session.scalars(
        select(Photo)
        .where(col(Photo.id).in_(ids), col(Photo.deleted_at).is_(None))
        .order_by(col(Photo.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return rows.all()


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
