"""What the person decides about bursts. Each decision is one batch of decisions about photos, undone as one."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.answers import Refused
from orchestrator.bursts import detection
from orchestrator.bursts.sizes import TAKES_PART
from orchestrator.db import Sessions
from orchestrator.embedding import service as embedding
from orchestrator.models import Burst
from orchestrator.review import service as review
from orchestrator.review.service import Change, Decision, Value
from orchestrator.review.verbs import patiently

SPARED_STARS = 4  # Keep Best of all rejects no frame with so many


@dataclass(frozen=True)
class Kept:
    """What Keep Best did. `spared` are frames that stay beside the best, `brackets` were left out."""

    undo: UUID | None
    groups: int
    kept: int
    rejected: int
    spared: int = 0
    brackets: int = 0


@dataclass(frozen=True)
class Frame:
    """What the person said about a photo that takes part in a burst."""

    id: int
    burst_id: int
    user_rating: int | None
    manual_match: bool
    kept_at: datetime | None
    burst_best_at: datetime | None


Plan: TypeAlias = tuple[list[Change], Kept]


async def search_again(
    sessions: Sessions, *, gap_seconds: float | None, least_cosine: float | None, is_own_cosine: bool
) -> None:
    """Look for bursts now. What is given holds from now on; `is_own_cosine` says that `least_cosine` is, and None
    then means the embedder's own again."""
    async with sessions.begin() as session:
        if gap_seconds is not None:
            await session.execute(text("UPDATE burst_state SET gap_seconds = :gap"), {"gap": gap_seconds})
        if is_own_cosine:
            await session.execute(
                text("UPDATE burst_state SET least_cosine = :cosine, cosine_model = :model"),
                {"cosine": least_cosine, "model": await embedding.in_force(session)},
            )
        await detection.request(session)


async def choose_best(sessions: Sessions, burst_id: int, photo_id: int) -> Decision:
    """From now on this frame is the best, however sharp the others are."""

    async def changes(session: AsyncSession) -> list[Change]:
        frames = await _frames(session, burst_id)
        return [*_chosen(_one_of(frames, photo_id), frames)]

    return await _decide(sessions, changes)


async def keep_best(sessions: Sessions, burst_id: int, best_id: int | None) -> Kept:
    """The best, or this frame instead, is kept; all others of the burst are rejected."""

    async def plan(session: AsyncSession) -> Plan:
        frames = await _frames(session, burst_id)
        burst = await session.get_one(Burst, burst_id)
        best = _one_of(frames, best_id or burst.best_id)
        losers = [frame for frame in frames if frame is not best]
        return _with_these_rejected(best, frames, losers), Kept(None, groups=1, kept=1, rejected=len(losers))

    return await _keep(sessions, plan)


async def keep_best_of_all(sessions: Sessions) -> Kept:
    """Keep Best for every burst, as one decision. Brackets are left out: their frames are meant to differ. Beside the
    best of a burst, frames with four stars or more stay, and so do picks and those that were kept without stars: the
    person has spoken for each of them, and here nobody looks at them again."""

    async def plan(session: AsyncSession) -> Plan:
        bursts = (await session.scalars(select(Burst).where(col(Burst.size) > 1).order_by(col(Burst.id)))).all()
        return _best_of_all(bursts, await _frames_of(session, [one.id for one in bursts if one.kind != "bracket"]))

    return await _keep(sessions, plan)


def _best_of_all(bursts: Sequence[Burst], frames_of: Mapping[int, Sequence[Frame]]) -> Plan:
    changes: list[Change] = []
    groups = rejected = spared = 0
    for burst in bursts:
        frames = frames_of.get(burst.id, ())
        best = next((frame for frame in frames if frame.id == burst.best_id), None)
        others = [frame for frame in frames if frame is not best]
        if best is None or not others:
            continue
        losers = [frame for frame in others if not _is_spoken_for(frame)]
        changes += _with_these_rejected(best, frames, losers)
        groups, rejected, spared = groups + 1, rejected + len(losers), spared + len(others) - len(losers)
    brackets = sum(burst.kind == "bracket" for burst in bursts)
    return changes, Kept(None, groups, groups, rejected, spared, brackets)


async def keep_all(sessions: Sessions, burst_id: int) -> Decision:
    """These frames stay apart: no search groups them again."""
    now = datetime.now(UTC)

    async def changes(session: AsyncSession) -> list[Change]:
        return [Change(frame.id, {"burst_dissolved_at": now}) for frame in await _frames(session, burst_id)]

    return await _decide(sessions, changes)


async def _keep(sessions: Sessions, plan: Callable[[AsyncSession], Awaitable[Plan]]) -> Kept:
    async def work() -> Kept:
        async with sessions.begin() as session:
            changes, kept = await plan(session)
            made = await review.decide(session, changes)
            return replace(kept, undo=made.batch)

    return await patiently(work)


async def _decide(sessions: Sessions, changes: Callable[[AsyncSession], Awaitable[Sequence[Change]]]) -> Decision:
    async def work() -> Decision:
        async with sessions.begin() as session:
            return await review.decide(session, await changes(session))

    return await patiently(work)


def unknown_burst() -> Refused:
    return Refused(404, "unknown_burst", "There is no burst with this number. Bursts change when they are found again.")


async def _frames(session: AsyncSession, burst_id: int) -> Sequence[Frame]:
    """Raises Refused when there is nothing to choose among."""
    if await session.get(Burst, burst_id) is None:
        raise unknown_burst()
    frames = (await _frames_of(session, [burst_id])).get(burst_id, [])
    if len(frames) >= 2:
        return frames
    were_kept = await session.scalar(
        text("SELECT 1 FROM photos WHERE burst_id = :id AND burst_dissolved_at IS NOT NULL LIMIT 1"), {"id": burst_id}
    )
    if not frames and were_kept:
        raise Refused(409, "burst_dissolved", "All photos of this burst were kept: it is none any more.")
    raise Refused(409, "burst_decided", "This burst is decided: at most one of its photos is left.")


async def _frames_of(session: AsyncSession, burst_ids: Sequence[int]) -> Mapping[int, Sequence[Frame]]:
    """By burst the frames that take part, locked in the order in which decisions lock photos."""
    rows = await session.execute(
        text(
            "SELECT id, burst_id, user_rating, manual_match, kept_at, burst_best_at FROM photos"
            f" WHERE burst_id = ANY(:ids) AND {TAKES_PART} ORDER BY id FOR UPDATE"
        ),
        {"ids": list(burst_ids)},
    )
    frames: dict[int, list[Frame]] = defaultdict(list)
    for row in rows:
        frames[row.burst_id].append(Frame(*row))
    return frames


def _one_of(frames: Sequence[Frame], photo_id: int | None) -> Frame:
    found = next((frame for frame in frames if frame.id == photo_id), None)
    if found is None:
        raise Refused(422, "not_in_burst", f"Photo {photo_id} is not in this burst, or was rejected or removed.")
    return found


def _chosen(best: Frame, frames: Sequence[Frame], **fields: Value) -> list[Change]:
    now = datetime.now(UTC)
    others = [frame for frame in frames if frame is not best and frame.burst_best_at is not None]
    return [
        Change(best.id, {"burst_best_at": best.burst_best_at or now, **fields}),
        *(Change(frame.id, {"burst_best_at": None}) for frame in others),
    ]


def _with_these_rejected(best: Frame, frames: Sequence[Frame], losers: Sequence[Frame]) -> list[Change]:
    now = datetime.now(UTC)
    wanted = {change.photo_id: dict(change.fields) for change in _chosen(best, frames, kept_at=best.kept_at or now)}
    for frame in losers:
        wanted.setdefault(frame.id, {})["rejected_at"] = now
    return [Change(photo_id, fields) for photo_id, fields in wanted.items()]


def _is_spoken_for(frame: Frame) -> bool:
    stars = frame.user_rating
    return frame.manual_match or (frame.kept_at is not None if stars is None else stars >= SPARED_STARS)
