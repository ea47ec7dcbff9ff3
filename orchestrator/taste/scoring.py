"""Re-scoring: after each activation every photo gets a score of the model in force, in batches, until none has
another. Where it stands is in the photos themselves (`score_activation`), so that it goes on after a restart.

`score_activation` is NULL for a photo without a vector, 0 for one whose vector has just landed.
"""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import structlog
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator import events, runs
from orchestrator.db import Sessions
from orchestrator.embedding import service as embedding
from orchestrator.embedding.vectors import Vectors
from orchestrator.models import TasteModel
from orchestrator.taste import jobs, service, vectors
from orchestrator.taste.artifacts import Artifacts
from orchestrator.taste.jobs import Batch
from orchestrator.taste.results import write_scores
from orchestrator.taste.training import JOBS_FOLDER, state_of
from shared.claims import ClaimStore
from shared.contracts import score
from shared.taste_model import TasteModel as Taste
from shared.taste_model import TasteModelBroken

log = structlog.get_logger()

PER_BATCH = 5_000
MOST_NEW = 500  # a batch of newly embedded photos that pages are told of one by one
IN_FLIGHT = 4  # batches
MOST_FAILED = 8  # batches of one activation, then the workers are asked no more
OUT_OF_FOLD_AT_ONCE = 2_000  # rows that are locked together


@dataclass(frozen=True)
class Force:
    """The activation in force, its version and the model itself."""

    activation: int
    version: TasteModel
    taste: Taste


class Scoring:
    """Takes turns. What it remembers saves looking twice; a new one looks again."""

    def __init__(self, sessions: Sessions, claims: ClaimStore, artifacts: Artifacts, per_batch: int) -> None:
        self._sessions = sessions
        self._per_batch = per_batch
        self._claims = claims
        self._artifacts = artifacts
        self.is_rescoring = False  # whether batches of the whole archive are under way
        self._begin(0)

    def _begin(self, activation: int) -> None:
        self._activation = activation
        self._are_rated_written = False
        self._unscored_after: int | None = 0  # photos that never had a score are looked at in the order of ids
        self._is_notice_due = False

    async def turn(self) -> bool:
        """Queue what there is room for; whether anything was queued."""
        force = await self._in_force()
        if force is None:
            return False
        if force.activation != self._activation:
            self._begin(force.activation)
        await jobs.clear(self._sessions, self._claims, force.activation)
        if not self._are_rated_written:
            await self._write_rated(force)
        async with self._sessions() as session:
            busy, failed = await jobs.unfinished(session, force.activation)
        has_queued = False
        while len(busy) < IN_FLIGHT and len(failed) < MOST_FAILED:
            batch = await self._queue_next(force, [*busy, *failed])
            if batch is None:
                break
            busy.append(batch)
            has_queued = True
        self.is_rescoring = any(not batch.is_new for batch in busy)
        self._is_notice_due |= self.is_rescoring
        if not busy and self._is_notice_due:
            self._is_notice_due = False
            await self._give_notice(force)
        return has_queued

    async def _in_force(self) -> Force | None:
        """None while nothing can be scored: no model, a broken one, or one of other embeddings."""
        async with self._sessions() as session:
            state = await state_of(session)
            version = await session.get(TasteModel, state.version) if state.version is not None else None
            if version is None or version.state == service.BROKEN:
                return None
            if version.embedding_model != await embedding.in_force(session):
                return None
        try:
            return Force(state.activation, version, await self._artifacts.load(version))
        except TasteModelBroken as exc:
            log.warning("taste.artifact_broken", version=version.version, error=exc.message)
            async with self._sessions.begin() as session:
                await service.mark_broken(session, version.version, exc.message)
                await service.request_training(session, at_once=True)
            return None

    async def _write_rated(self, force: Force) -> None:
        """The photos that the model was trained on get what it said of them without having seen them."""
        ids, scores = force.taste.photo_ids, force.taste.out_of_fold_scores()
        for start in range(0, len(ids), OUT_OF_FOLD_AT_ONCE):
            part = slice(start, start + OUT_OF_FOLD_AT_ONCE)
            async with self._sessions.begin() as session:
                changed = await write_scores(session, force.activation, ids[part].tolist(), scores[part].tolist())
            self._is_notice_due |= changed > 0
        self._are_rated_written = True

    async def _queue_next(self, force: Force, taken: Sequence[Batch]) -> Batch | None:
        while True:
            async with self._sessions() as session:
                rows = await self._stale(session, force.activation, taken) or await self._unscored(session)
            if not rows:
                return None
            batch = await self._queue(force, rows)
            if batch is not None:
                return batch

    async def _stale(self, session: AsyncSession, activation: int, taken: Sequence[Batch]) -> Sequence[Row[Any]]:
        """Photos with the oldest other activation there is, those that a worker has left out."""
        # Spelled out, not joined: so the index is walked in its order, and only as far as the limit.
        without = "".join(
            f" AND NOT (score_activation = {batch.before} AND id BETWEEN {batch.first} AND {batch.last})"
            for batch in taken
        )
        result = await session.execute(
            text(
                "SELECT id, score_activation AS before, user_rating IS NOT NULL AS is_rated FROM photos"
                " WHERE preview IS NOT NULL AND deleted_at IS NULL AND score_activation < :activation"
                f"{without} ORDER BY score_activation, id LIMIT :limit"
            ),
            {"activation": activation, "limit": self._per_batch},
        )
        rows = result.all()
        return [row for row in rows if row.before == rows[0].before]

    async def _unscored(self, session: AsyncSession) -> Sequence[Row[Any]]:
        """Photos that were never scored; once per activation, because later a vector that lands says so itself."""
        if self._unscored_after is None:
            return []
        result = await session.execute(
            text(
                "SELECT id, -1 AS before, user_rating IS NOT NULL AS is_rated FROM photos"
                " WHERE preview IS NOT NULL AND deleted_at IS NULL AND score_activation IS NULL AND id > :after"
                " ORDER BY id LIMIT :limit"
            ),
            {"after": self._unscored_after, "limit": self._per_batch},
        )
        rows = result.all()
        self._unscored_after = rows[-1].id if rows else None
        return rows

    async def _queue(self, force: Force, rows: Sequence[Row[Any]]) -> Batch | None:
        """A batch of those that have a vector and were not trained on; None when that leaves nothing to ask for."""
        before, ids = rows[0].before, np.array([row.id for row in rows], np.int64)
        async with self._sessions() as session:
            with_vector, found = await vectors.read(session, force.version.embedding_model, ids.tolist())
        is_trained = np.isin(with_vector, force.taste.photo_ids)
        async with self._sessions.begin() as session:
            if before >= 0:
                await _forget(session, np.setdiff1d(ids, with_vector).tolist(), before)
            await self._rewrite_trained(session, force, with_vector[is_trained])
            if before == 0 and np.isin([row.id for row in rows if row.is_rated], with_vector).any():
                await service.request_training(session)  # rated before its vector was there
        if is_trained.all():
            return None
        batch = Batch(force.activation, before, int(ids[0]), int(ids[-1]), before == 0 and len(ids) <= MOST_NEW)
        await self._send(force, batch, with_vector[~is_trained], found[~is_trained])
        return batch

    async def _rewrite_trained(self, session: AsyncSession, force: Force, ids: vectors.Ids) -> None:
        """A photo that the model has seen is not judged by it, also not by a new vector."""
        if len(ids):
            places = np.isin(force.taste.photo_ids, ids)
            scores = force.taste.out_of_fold_scores()[places].tolist()
            await write_scores(session, force.activation, force.taste.photo_ids[places].tolist(), scores)

    async def _send(self, force: Force, batch: Batch, ids: vectors.Ids, found: Vectors) -> None:
        data = await asyncio.to_thread(vectors.packed, {"photo_ids": ids, "vectors": found})
        claim = await asyncio.to_thread(self._claims.put, f"{JOBS_FOLDER}/score-{secrets.token_hex(8)}.npz", data)
        request = score.Request(
            activation=force.activation,
            model=force.version.embedding_model,
            artifact=force.version.artifact or "",
            file_path=claim,
        )
        async with self._sessions.begin() as session:
            await runs.queue(session, [runs.NewRun("score", None, request, job=batch.subject)])

    async def _give_notice(self, force: Force) -> None:
        """One, after the whole archive has been scored."""
        async with self._sessions.begin() as session:
            await events.record(session, events.TASTE, [force.version.version])
        log.info("taste.rescored", activation=force.activation, version=force.version.version)


async def _forget(session: AsyncSession, photo_ids: Sequence[int], before: int) -> None:
    """These have no vector that the model in force could judge, so they have no score either."""
    if photo_ids:
        await session.execute(
            text(
                "UPDATE photos SET preference_score = NULL, score_activation = NULL WHERE id IN (SELECT id FROM photos"
                " WHERE id = ANY(:ids) AND score_activation = :before ORDER BY id FOR UPDATE)"
            ),
            {"ids": list(photo_ids), "before": before},
        )
