"""The runs of train and score: about many photos each, named by what they are about, gone when they have ended."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.db import Sessions
from orchestrator.taste.training import JOBS_FOLDER
from shared.claims import ClaimStore

_NEW = ":new"
ORPHAN_SECONDS = 3600.0  # a claim this old that no run names was left by an orchestrator that was killed


@dataclass(frozen=True)
class Batch:
    """Photos `first` to `last` that had scores of activation `before` (-1: none), on their way to `activation`.
    `is_new`: their vectors have just landed, and pages show them as they are scored."""

    activation: int
    before: int
    first: int
    last: int
    is_new: bool = False

    @property
    def subject(self) -> str:
        return f"score:{self.activation}:{self.before}:{self.first}:{self.last}{_NEW if self.is_new else ''}"

    @classmethod
    def of(cls, subject: str) -> "Batch | None":
        """None for a run that is none of these."""
        kind, *numbers = subject.removesuffix(_NEW).split(":")
        if kind != "score" or len(numbers) != 4:
            return None
        activation, before, first, last = map(int, numbers)
        return cls(activation, before, first, last, subject.endswith(_NEW))


async def unfinished(session: AsyncSession, activation: int) -> tuple[list[Batch], list[Batch]]:
    """Batches of this activation that are under way, and those that have failed."""
    rows = await session.execute(
        text("SELECT subject, state = 'failed' FROM stage_runs WHERE stage = 'score' AND state <> ALL(:ended)"),
        {"ended": ["done", "cancelled"]},
    )
    found = [(Batch.of(subject), has_failed) for subject, has_failed in rows]
    ours = [(batch, has_failed) for batch, has_failed in found if batch and batch.activation == activation]
    return [batch for batch, failed in ours if not failed], [batch for batch, failed in ours if failed]


async def clear(sessions: Sessions, claims: ClaimStore, activation: int) -> None:
    """Remove runs that have ended, and those of past activations that no worker has yet; with their claims."""
    async with sessions.begin() as session:
        rows = await session.execute(
            text(
                """
                DELETE FROM stage_runs WHERE stage IN ('train', 'score') AND photo_id IS NULL AND (
                  state IN ('done', 'cancelled')
                  OR stage = 'score' AND state IN ('queued', 'held', 'failed')
                    AND split_part(subject, ':', 2) <> :activation
                  OR stage = 'train' AND state = 'failed' AND EXISTS (SELECT 1 FROM taste_models
                    WHERE state = 'ready' AND version > CAST(split_part(subject, ':', 2) AS integer)))
                RETURNING run_id, request->>'file_path'
                """
            ),
            {"activation": str(activation)},
        )
        ended = rows.all()
        if ended:
            await session.execute(
                text("UPDATE dead_letters SET state = 'resolved' WHERE state = 'open' AND run_id = ANY(:runs)"),
                {"runs": [run_id for run_id, _ in ended]},
            )
    if ended:
        await asyncio.to_thread(_remove, claims, [claim for _, claim in ended])


async def remove_orphans(sessions: Sessions, claims: ClaimStore, older_than_seconds: float = ORPHAN_SECONDS) -> None:
    """Claims that were written for a run which was never queued."""
    old = await asyncio.to_thread(_old_claims, claims, time.time() - older_than_seconds)
    if not old:
        return
    async with sessions() as session:
        rows = await session.scalars(
            text("SELECT request->>'file_path' FROM stage_runs WHERE stage IN ('train', 'score')")
        )
        needed = set(rows)
    await asyncio.to_thread(_remove, claims, [claim for claim in old if claim not in needed])


def _old_claims(claims: ClaimStore, written_before: float) -> Sequence[str]:
    return [file.claim for file in claims.list(JOBS_FOLDER) if file.modified_at <= written_before]


def _remove(claims: ClaimStore, names: Iterable[str]) -> None:
    for name in names:
        claims.remove(name)
