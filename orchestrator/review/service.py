"""The person's decisions about photos: written down with what was true before, so that each can be undone."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid4

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator import events
from orchestrator.bursts import sizes as bursts
from orchestrator.models import RatingEvent
from orchestrator.photos import chosen
from orchestrator.review.retagging import Retags, retagged
from orchestrator.review.taking_back import taken_back
from orchestrator.review.writing import DECIDED, Wanted, write
from orchestrator.taste import service as taste
from orchestrator.write_back import due as due_sidecars

Source = Literal["person", "file", "undo"]
Value = int | bool | str | datetime | list[str] | None


@dataclass(frozen=True)
class Change:
    """What is to be true of a photo: columns of DECIDED and their new values. A moment that is there already stays."""

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
) -> Decision:
    """Apply these changes as one decision. Photos that are not there, or have been removed, are passed over, and so
    is what is true already. A changed rating asks for a training."""
    if not changes:
        return Decision(None, [])
    wanted = {change.photo_id: change.fields for change in changes}
    there = await chosen.lock_ids(session, list(wanted))
    return await _decide(session, _each({id_: wanted[id_] for id_ in there}), source, batch or uuid4())


async def decide_alike(
    session: AsyncSession,
    locked_ids: Sequence[int],
    fields: Mapping[str, Value],
    *,
    tags: Retags | None = None,
    batch: UUID | None = None,
) -> Decision:
    """The same of all these photos, which are locked; `tags` come to those that each of them has.

    Who names the `batch` may ask twice, for want of an answer perhaps: what was decided once is not decided again.
    """
    asked_before = await decided_as(session, batch) if batch else None
    if asked_before:
        return asked_before
    wanted = _each(dict.fromkeys(locked_ids, fields))
    return await _decide(session, retagged(wanted, tags) if tags else wanted, "person", batch or uuid4())


async def undo(session: AsyncSession, batch: UUID, *, as_batch: UUID | None = None) -> Decision:
    """Take a decision back, as a decision of its own, which can be undone in turn. What was changed again since
    stays as it is, and what was taken back before is not taken back again."""
    about = select(col(RatingEvent.photo_id)).where(col(RatingEvent.batch) == batch)
    there = await chosen.lock_ids(session, list(await session.scalars(about)))
    if as_batch and (before := await decided_as(session, as_batch)):
        return before
    if await session.scalar(select(exists().where(col(RatingEvent.undoes) == batch))):
        return Decision(None, [])
    return await _decide(session, await taken_back(session, batch, there), "undo", as_batch or uuid4(), batch)


async def decided_as(session: AsyncSession, batch: UUID) -> Decision | None:
    """The decision that this batch is already. To be asked under the locks: the same may be under way elsewhere."""
    rows = await session.scalars(
        select(col(RatingEvent.photo_id)).where(col(RatingEvent.batch) == batch).order_by(col(RatingEvent.photo_id))
    )
    ids = list(dict.fromkeys(rows))
    return Decision(batch, ids) if ids else None


async def _decide(
    session: AsyncSession, wanted: Wanted, source: Source, batch: UUID, undoes: UUID | None = None
) -> Decision:
    written = await write(session, wanted, source, batch, undoes)
    if written.concerns_taste:
        await taste.request_training(session)
    if written.photo_ids:
        await bursts.follow_decisions(session, written.photo_ids)
        if source != "file" and due_sidecars.concerns(wanted.columns):
            await due_sidecars.note(session, written.photo_ids)
        await events.record(session, events.PHOTOS, written.photo_ids)
    return Decision(batch if written.photo_ids else None, written.photo_ids)


def _each(fields_of: Mapping[int, Mapping[str, Value]]) -> Wanted:
    distinct = {id(fields): fields for fields in fields_of.values()}  # very many photos may share one
    said = {key: _as_json(fields) for key, fields in distinct.items()}
    return Wanted(
        "SELECT photo_id, CAST(said AS jsonb) AS fields"
        " FROM unnest(CAST(:photos AS bigint[]), CAST(:said AS text[])) AS wish (photo_id, said)",
        {"photos": list(fields_of), "said": [said[id(fields)] for fields in fields_of.values()]},
        {name for fields in distinct.values() for name in fields},
    )


def _as_json(fields: Mapping[str, Value]) -> str:
    if unknown := fields.keys() - DECIDED.keys():
        raise ValueError(f"not a decision: {sorted(unknown)}")
    return json.dumps({name: v.isoformat() if isinstance(v, datetime) else v for name, v in fields.items()})
