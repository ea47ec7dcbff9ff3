"""Dead letters put back, discarded and reopened: one, those of a cause, or all.

Of many, some at a time in transactions of their own: nobody else waits long for the identity lock.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID, uuid4

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator import events, identity_lock
from orchestrator.answers import Refused
from orchestrator.db import Sessions
from orchestrator.imports import items
from orchestrator.models import DeadLetter

AT_ONCE = 500

Change = Callable[[AsyncSession, Sequence[int]], Awaitable[int]]


@dataclass(frozen=True)
class Which:
    """Of which letters something is done; what is None is not asked for. `status` 0: no service answered."""

    stage: str | None = None
    error_type: str | None = None
    status: int | None = None
    discarded_in: UUID | None = None


@dataclass(frozen=True)
class Discarded:
    count: int
    batch: UUID  # `reopen` them together with this


async def requeue_all(sessions: Sessions, which: Which) -> int:
    """Try the open letters again from the first attempt, but for those without a run. Returns how many are tried."""
    return await _change_all(sessions, "open", which, _requeue)


async def discard_all(sessions: Sessions, which: Which) -> Discarded:
    """Leave the open letters alone: they count as no problem any more. What failed stays marked as failed."""
    batch = uuid4()
    return Discarded(await _change_all(sessions, "open", which, partial(_discard, batch=batch)), batch)


async def reopen_all(sessions: Sessions, which: Which) -> int:
    return await _change_all(sessions, "discarded", which, _reopen)


async def requeue(sessions: Sessions, letter_id: int) -> int:
    """1, or 0 for a letter that is put back already. Refused when there is nothing to try."""
    letter = await _letter(sessions, letter_id)
    if letter.state == "requeued":
        return 0
    if letter.state != "resolved" and not _has_run(letter):
        raise Refused(
            409, "no_run", "This message belongs to no photo and no job of Keepers: it can only be discarded."
        )
    if not await _change_one(sessions, letter_id, _requeue):
        raise Refused(409, "not_requeueable", "There is nothing to try again: it is done, cancelled or tried anew.")
    return 1


async def discard(sessions: Sessions, letter_id: int) -> Discarded:
    await _letter(sessions, letter_id)
    batch = uuid4()
    return Discarded(await _change_one(sessions, letter_id, partial(_discard, batch=batch)), batch)


async def reopen(sessions: Sessions, letter_id: int) -> int:
    await _letter(sessions, letter_id)
    return await _change_one(sessions, letter_id, _reopen)


async def _letter(sessions: Sessions, letter_id: int) -> DeadLetter:
    async with sessions() as session:
        letter = await session.get(DeadLetter, letter_id)
    if letter is None:
        raise Refused(404, "unknown_letter", "There is no dead letter with this number.")
    return letter


def _has_run(letter: DeadLetter) -> bool:
    return letter.run_id is not None and (letter.photo_id is not None or letter.subject is not None)


async def _change_one(sessions: Sessions, letter_id: int, change: Change) -> int:
    async with sessions.begin() as session:
        await identity_lock.take(session)
        return await change(session, [letter_id])


async def _change_all(sessions: Sessions, state: str, which: Which, change: Change) -> int:
    """Each letter once, by rising id: one that fails again meanwhile, or comes in, is not taken along."""
    async with sessions() as session:
        last = (await session.execute(select(func.max(col(DeadLetter.id))))).scalar_one() or 0
    after = changed = 0
    while True:
        async with sessions.begin() as session:
            await identity_lock.take(session)
            ids = await _next(session, state, which, after, last)
            changed += await change(session, ids) if ids else 0
        if len(ids) < AT_ONCE:
            return changed
        after = ids[-1]


async def _next(session: AsyncSession, state: str, which: Which, after: int, last: int) -> Sequence[int]:
    query = select(col(DeadLetter.id)).where(
        col(DeadLetter.state) == state, col(DeadLetter.id) > after, col(DeadLetter.id) <= last
    )
    for column, value in (
        (col(DeadLetter.stage), which.stage),
        (col(DeadLetter.error_type), which.error_type),
        (col(DeadLetter.status), which.status),
        (col(DeadLetter.discarded_in), which.discarded_in),
    ):
        query = query if value is None else query.where(column == value)
    rows = await session.execute(query.order_by(col(DeadLetter.id)).limit(AT_ONCE).with_for_update())
    return rows.scalars().all()


async def _requeue(session: AsyncSession, letter_ids: Sequence[int]) -> int:
    """A new run id, a new message from the stored request, none of the old headers. The letter follows its run."""
    rows = await session.execute(
        text(
            """
            WITH letters AS (
              SELECT id, run_id FROM dead_letters WHERE id = ANY(:letters) AND state IN ('open', 'discarded') FOR UPDATE
            ), again AS (
              UPDATE stage_runs SET run_id = gen_random_uuid(), state = 'queued', attempt = 1, error = NULL,
                error_type = NULL, queued_at = now(), published_at = NULL, finished_at = NULL
              FROM letters WHERE stage_runs.run_id = letters.run_id AND state = 'failed'
              RETURNING letters.id, letters.run_id AS before, stage_runs.run_id AS run_id, stage, photo_id
            )
            UPDATE dead_letters SET state = 'requeued', discarded_in = NULL, run_id = again.run_id,
              earlier_runs = earlier_runs || again.before
            FROM again WHERE dead_letters.id = again.id RETURNING again.stage, again.photo_id
            """
        ),
        {"letters": list(letter_ids)},
    )
    requeued = rows.all()
    await _resolve_moot(session, letter_ids)
    await items.reopen(session, [photo_id for stage, photo_id in requeued if stage == "convert" and photo_id])
    await events.record(session, events.PHOTOS, [photo_id for _, photo_id in requeued if photo_id is not None])
    await events.record(session, events.FAILURES, [])
    return len(requeued)


async def _discard(session: AsyncSession, letter_ids: Sequence[int], batch: UUID) -> int:
    rows = await session.execute(
        update(DeadLetter)
        .where(col(DeadLetter.id).in_(letter_ids), col(DeadLetter.state) == "open")
        .values(state="discarded", discarded_in=batch)
        .returning(col(DeadLetter.id))
    )
    await events.record(session, events.FAILURES, [])
    return len(rows.all())


async def _reopen(session: AsyncSession, letter_ids: Sequence[int]) -> int:
    await _resolve_moot(session, letter_ids)
    rows = await session.execute(
        update(DeadLetter)
        .where(col(DeadLetter.id).in_(letter_ids), col(DeadLetter.state) == "discarded")
        .values(state="open", discarded_in=None)
        .returning(col(DeadLetter.id))
    )
    await events.record(session, events.FAILURES, [])
    return len(rows.all())


async def _resolve_moot(session: AsyncSession, letter_ids: Sequence[int]) -> None:
    """Letters about a run that is not failed any more: it was tried anew by an import, cancelled, or is done."""
    await session.execute(
        text(
            "UPDATE dead_letters SET state = 'resolved' WHERE id = ANY(:letters) AND state IN ('open', 'discarded')"
            " AND run_id IS NOT NULL AND (photo_id IS NOT NULL OR subject IS NOT NULL)"
            " AND NOT EXISTS (SELECT 1 FROM stage_runs WHERE run_id = dead_letters.run_id AND state = 'failed')"
        ),
        {"letters": list(letter_ids)},
    )
