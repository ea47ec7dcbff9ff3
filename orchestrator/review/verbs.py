"""What a person asks for, and what becomes true of a photo by it."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, TypeAlias, TypeVar
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.db import Sessions, is_passing_trouble
from orchestrator.photos.chosen import Chosen, lock
from orchestrator.photos.missing import unknown_photo
from orchestrator.projects import service as projects
from orchestrator.review import service
from orchestrator.review.retagging import Retags
from orchestrator.review.service import Decision, Value

T = TypeVar("T")
Action: TypeAlias = Literal["keep", "reject", "restore"]

_TRIES = 3
_PAUSE_SECONDS = 0.02


@dataclass(frozen=True)
class Wish:
    """`fields` are any of user_rating, manual_match, tags and project, the last by its name."""

    fields: Mapping[str, Value] = field(default_factory=dict)
    action: Action | None = None
    retags: Retags | None = None


async def carry_out(sessions: Sessions, chosen: Chosen, wish: Wish, batch: UUID | None = None) -> Decision:
    """Decide this about these photos, as one decision. Raises Refused when none of those named is there; a selection
    may hold none."""
    batch = batch or uuid4()  # named here: a try whose answer got lost is not decided twice

    async def work() -> Decision:
        async with sessions.begin() as session:
            ids = await lock(session, chosen)
            if not ids:
                before = await service.decided_as(session, batch)
                if before is None and chosen.selection is None:
                    raise unknown_photo()
                return before or Decision(None, [])
            fields = dict(wish.fields)
            if "project" in fields:
                fields["project_id"] = await projects.named(session, _text(fields.pop("project")))
            decided = _decided(fields, wish.action, datetime.now(UTC))
            return await service.decide_alike(session, ids, decided, tags=wish.retags, batch=batch)

    return await patiently(work)


async def take_back(sessions: Sessions, batch: UUID, as_batch: UUID | None = None) -> Decision:
    """Undo a decision; see `service.undo`."""
    as_batch = as_batch or uuid4()
    return await committed(sessions, lambda session: service.undo(session, batch, as_batch=as_batch))


def _decided(fields: Mapping[str, Value], action: Action | None, now: datetime) -> dict[str, Value]:
    """A rating or a pick also keeps. Rejecting touches nothing else, so that restoring gives back all there was."""
    decided = dict(fields)
    if action == "keep":
        decided |= {"kept_at": now, "rejected_at": None}
    elif action == "reject":
        decided["rejected_at"] = now
    elif action == "restore":
        decided["rejected_at"] = None
    if decided.get("user_rating") is not None or decided.get("manual_match"):
        decided["kept_at"] = now
    return decided


def _text(value: Value) -> str | None:
    return value if isinstance(value, str) else None


async def committed(sessions: Sessions, write: Callable[[AsyncSession], Awaitable[T]]) -> T:
    """What `write` does in a transaction of its own, patiently."""

    async def work() -> T:
        async with sessions.begin() as session:
            return await write(session)

    return await patiently(work)


async def patiently(work: Callable[[], Awaitable[T]]) -> T:
    """A transaction that PostgreSQL ended for the sake of another one passes when it is tried again."""
    for _ in range(_TRIES - 1):
        try:
            return await work()
        except Exception as exc:
            if not is_passing_trouble(exc):
                raise
        await asyncio.sleep(_PAUSE_SECONDS * (1 + random.random()))
    return await work()
