"""Taking photos out of Keepers, and bringing them back. Originals are never touched."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator import events, identity_lock, runs
from orchestrator.bursts import sizes as bursts
from orchestrator.curation import results as curation
from orchestrator.embedding import results as embedding
from orchestrator.imports import items
from orchestrator.photos import sweeper
from orchestrator.photos.chosen import Chosen, expect, lock, lock_ids
from orchestrator.photos.identity import REMOVED
from orchestrator.photos.service import convert_again
from orchestrator.taste import service as taste
from orchestrator.write_back import due as due_sidecars


@dataclass(frozen=True)
class _Pictures:
    """The derived files of a photo, and whether it was rated."""

    photo_id: int
    claims: frozenset[str]
    is_rated: bool


async def remove(session: AsyncSession, chosen: Chosen, removal: UUID) -> list[int]:
    """Leave a tombstone of each of these photos: the row stays with all that was said, so that its bytes are known
    when an import meets them again. Returns which are gone. Asking again for the same removal removes nothing more.
    """
    await identity_lock.take(session)
    if before := await _removed_in(session, removal):
        return before
    return await _take_out(session, await lock(session, chosen), removal)


async def again(session: AsyncSession, removal: UUID) -> list[int]:
    """Remove once more what this removal had removed, after it was undone. Returns which are gone."""
    await identity_lock.take(session)
    back = text("SELECT id FROM photos WHERE removal = :removal AND deleted_at IS NULL")
    there = await lock_ids(session, list(await session.scalars(back, {"removal": removal})))
    return await _take_out(session, there, removal) or await _removed_in(session, removal)


async def undo(session: AsyncSession, removal: UUID) -> list[int]:
    """Bring back what this removal took away and nothing else brought back since."""
    await identity_lock.take(session)
    ids = await _removed_in(session, removal)
    back = await bring_back(session, ids)
    await session.execute(_REMEMBER, {"ids": back, "removal": removal})
    return back


async def bring_back(session: AsyncSession, ids: Sequence[int]) -> list[int]:
    """These photos are there again, with all that was said about them. Pictures that the sweeper has taken meanwhile
    are made again. To be called under the identity lock."""
    if not ids:
        return []
    await expect(session, len(ids))
    gone = list(await session.scalars(_LOCK_GONE, {"ids": sorted(ids)}))
    pictures = _pictures((await session.execute(_BRING_BACK, {"ids": gone})).all())
    claims = [claim for one in pictures for claim in one.claims]
    kept = set(await session.scalars(_KEEP_FILES, {"claims": sorted(claims)}))
    whole = [one.photo_id for one in pictures if one.claims and one.claims <= kept]
    again = [one.photo_id for one in pictures if not one.claims or not one.claims <= kept]
    await convert_again(session, again)
    await _go_on_working(session, whole)
    found = await session.scalars(_REOPEN_ITEMS, {"ids": gone, "again": again, "reason": REMOVED})
    await items.note_progress(session, sorted(set(found)))
    await due_sidecars.note(session, gone)
    await _tell(session, pictures)
    return [one.photo_id for one in pictures]


async def _take_out(session: AsyncSession, ids: list[int], removal: UUID) -> list[int]:
    if not ids:
        return []
    rows = await session.execute(_REMOVE, {"ids": ids, "removal": removal})
    pictures = _pictures(rows.all())
    made = await session.scalars(
        text("DELETE FROM renditions WHERE photo_id = ANY(:ids) RETURNING claim"), {"ids": ids}
    )
    await sweeper.consider(session, [*made, *(claim for one in pictures for claim in one.claims)])
    await _stop_working(session, ids)
    await _tell(session, pictures)
    return ids


_REMOVE = text(
    """
    UPDATE photos SET deleted_at = now(), removal = :removal WHERE id = ANY(:ids)
    RETURNING id, preview, thumbnail, user_rating IS NOT NULL AS is_rated
    """
)
# Before they are changed and apart from it: in one statement, ten thousand are looked for ten thousand times.
_LOCK_GONE = text("SELECT id FROM photos WHERE id = ANY(:ids) AND deleted_at IS NOT NULL ORDER BY id FOR UPDATE")
_BRING_BACK = text(
    """
    UPDATE photos SET deleted_at = NULL, removal = NULL WHERE id = ANY(:ids)
    RETURNING id, preview, thumbnail, user_rating IS NOT NULL AS is_rated
    """
)
# That it was removed so can be done again.
_REMEMBER = text("UPDATE photos SET removal = :removal WHERE id = ANY(:ids)")
# Waits for a sweep that is under way. What is no candidate any more may have been removed by an earlier one.
_KEEP_FILES = text("DELETE FROM orphan_candidates WHERE claim = ANY(:claims) RETURNING claim")
_REOPEN_ITEMS = text(
    """
    UPDATE import_items SET reason = NULL, changed_at = now(),
      state = CASE WHEN photo_id IN (SELECT unnest(CAST(:again AS bigint[]))) THEN 'pending' ELSE 'done' END
    WHERE photo_id = ANY(:ids) AND state = 'skipped' AND reason = :reason RETURNING import_id
    """
)


async def _removed_in(session: AsyncSession, removal: UUID) -> list[int]:
    rows = text("SELECT id FROM photos WHERE removal = :removal AND deleted_at IS NOT NULL ORDER BY id")
    return list(await session.scalars(rows, {"removal": removal}))


def _pictures(rows: Sequence[tuple[int, str | None, str | None, bool]]) -> list[_Pictures]:
    return [
        _Pictures(id_, frozenset(claim for claim in (preview, thumbnail) if claim), is_rated)
        for id_, preview, thumbnail, is_rated in rows
    ]


async def _stop_working(session: AsyncSession, ids: Sequence[int]) -> None:
    """What waits is not begun, and what failed is no problem any more. Answers to what is in work find nothing that
    waits for them."""
    for statement in (
        "UPDATE stage_runs SET state = 'cancelled', hold_key = NULL, finished_at = now()"
        " WHERE photo_id = ANY(:ids) AND state IN ('queued', 'published', 'retrying', 'held', 'failed')",
        "UPDATE dead_letters SET state = 'resolved' WHERE photo_id = ANY(:ids) AND state <> 'resolved'",
    ):
        await session.execute(text(statement), {"ids": list(ids)})
    pending = text("SELECT DISTINCT photo_id FROM import_items WHERE photo_id = ANY(:ids) AND state = 'pending'")
    waiting = await session.scalars(pending, {"ids": list(ids)})
    await items.settle(session, dict.fromkeys(waiting, ("skipped", REMOVED)))


async def _go_on_working(session: AsyncSession, ids: Sequence[int]) -> None:
    """Descriptions and vectors that were not made, or that are of another model by now."""
    described = await curation.follow(session, ids)
    lacking = text(
        "SELECT id FROM unnest(CAST(:ids AS bigint[])) AS back (id) WHERE NOT EXISTS (SELECT 1 FROM photo_vectors"
        " WHERE photo_id = id AND model IN (SELECT name FROM embedding_models WHERE state <> 'retired'))"
    )
    embedded = await embedding.follow(session, list(await session.scalars(lacking, {"ids": list(ids)})))
    await runs.queue(session, [runs.NewRun("curate", id_, request) for id_, request in described])
    await runs.queue(session, [runs.NewRun("embed", id_, request) for id_, request in embedded])


async def _tell(session: AsyncSession, pictures: Sequence[_Pictures]) -> None:
    ids = sorted(one.photo_id for one in pictures)
    if any(one.is_rated for one in pictures):
        await taste.request_training(session)
    await bursts.follow_decisions(session, ids)
    await events.record(session, events.PHOTOS, ids)
