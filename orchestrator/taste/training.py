"""Trainings: started when they are due, one at a time, and followed until a version is in force or has failed."""

import asyncio
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator import events, runs
from orchestrator.db import Sessions
from orchestrator.embedding import service as embedding
from orchestrator.models import TasteModel, TasteState
from orchestrator.taste import service, vectors
from orchestrator.taste.artifacts import Artifacts
from shared.claims import ClaimStore
from shared.contracts import train
from shared.taste_model import TasteModelBroken

log = structlog.get_logger()

JOBS_FOLDER = "taste/jobs"  # claims of requests, removed when their runs end
ARCHIVE_SAMPLE = 20_000  # vectors that tell what the archive looks like

_ENOUGH = text(
    """
    SELECT count(*) >= :least FROM (
      SELECT 1 FROM photos JOIN photo_vectors ON photo_id = photos.id AND model = :model
      WHERE user_rating IS NOT NULL AND deleted_at IS NULL LIMIT :least) AS rated
    """
)
_ENDED = text(
    """
    SELECT version, CASE WHEN stage_runs.id IS NULL THEN 'This training was lost.'
      WHEN stage_runs.state = 'cancelled' THEN 'This training was cancelled.' ELSE stage_runs.error END AS why
    FROM taste_models LEFT JOIN stage_runs ON stage = 'train' AND subject = 'taste:' || version
    WHERE taste_models.state = 'training' AND coalesce(stage_runs.state, 'failed') IN ('failed', 'cancelled')
    """
)


async def state_of(session: AsyncSession) -> TasteState:
    return (await session.scalars(select(TasteState))).one()


async def note_failures(sessions: Sessions, now: datetime) -> None:
    """A training whose run has ended without a result has failed. What is in force stays in force."""
    async with sessions.begin() as session:
        for version, why in (await session.execute(_ENDED)).all():
            log.warning("taste.training_failed", version=version, error=why)
            await session.execute(
                text(
                    "UPDATE taste_models SET state = 'failed', error = :why, finished_at = now()"
                    " WHERE version = :version AND state = 'training'"
                ),
                {"version": version, "why": why or "This training failed."},
            )
            await service.try_again(session, now)
            await events.record(session, events.TASTE, [version])


async def accept(sessions: Sessions, artifacts: Artifacts, now: datetime) -> None:
    """Put what has been trained in force, once its artifact proves good. A version that comes late, behind a newer
    one, is only kept."""
    async with sessions() as session:
        trained = (await session.scalars(select(TasteModel).where(col(TasteModel.state) == service.TRAINED))).all()
    for model in sorted(trained, key=lambda model: model.version):
        try:
            await artifacts.load(model)
        except TasteModelBroken as exc:
            log.warning("taste.artifact_broken", version=model.version, error=exc.message)
            async with sessions.begin() as session:
                await service.mark_broken(session, model.version, exc.message)
                await service.try_again(session, now)
            continue
        async with sessions.begin() as session:
            newest = await session.scalar(text("SELECT max(version) FROM taste_models WHERE state = 'ready'"))
            if (newest or 0) < model.version and await embedding.in_force(session) == model.embedding_model:
                await service.put_in_force(session, model)
                log.info("taste.in_force", version=model.version)
            else:
                await session.execute(
                    text("UPDATE taste_models SET state = 'ready' WHERE version = :version"),
                    {"version": model.version},
                )


async def follow_embeddings(sessions: Sessions) -> None:
    """Ask for a training when another embedding model has come into force: the old taste cannot judge its vectors."""
    async with sessions.begin() as session:
        is_stranded = await session.scalar(
            text(
                """
                SELECT 1 FROM taste_state JOIN taste_models USING (version)
                JOIN embedding_models now ON now.state = 'current' AND now.name <> embedding_model
                WHERE due_at IS NULL AND NOT EXISTS (SELECT 1 FROM taste_models tried
                  WHERE tried.embedding_model = now.name AND tried.created_at >= now.since)
                """
            )
        )
        if is_stranded:
            await service.request_training(session, at_once=True)


async def start_if_due(sessions: Sessions, claims: ClaimStore, now: datetime, window_seconds: float) -> int | None:
    """The version that is being trained from now on, if a training is due and there is enough to learn from."""
    async with sessions() as session:
        starts_at = service.starts_at(await state_of(session), window_seconds)
        model = await embedding.in_force(session)
        if starts_at is None or starts_at > now or model is None or await _is_running(session):
            return None
        enough = await session.scalar(_ENOUGH, {"least": service.LEAST_RATINGS, "model": model})
    if not enough:
        return None
    gathered = await _gather(sessions, claims)
    async with sessions.begin() as session:
        return await _begin(session, gathered, now)


async def _is_running(session: AsyncSession) -> bool:
    running = await session.scalar(text("SELECT 1 FROM taste_models WHERE state IN ('training', 'trained')"))
    return running is not None


@dataclass(frozen=True)
class _Gathered:
    """What a training learns from: `read_seq` says up to which decision."""

    claim: str
    embedding_model: str
    read_seq: int
    n: int


async def _gather(sessions: Sessions, claims: ClaimStore) -> _Gathered:
    """All of it as of one moment. Nobody waits for this: ratings go on meanwhile."""
    async with sessions() as session:
        await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        state = await state_of(session)
        model = await embedding.in_force(session) or ""
        rows = await session.execute(
            text("SELECT id, user_rating FROM photos WHERE user_rating IS NOT NULL AND deleted_at IS NULL")
        )
        rated: dict[int, int] = {row.id: row.user_rating for row in rows}
        ids, rated_vectors = await vectors.read(session, model, list(rated))
        archive = await vectors.sample(session, model, ARCHIVE_SAMPLE, seed=state.requested_seq)
    ratings = np.array([rated[id_] for id_ in ids.tolist()], np.float32)
    members: dict[str, NDArray[Any]] = {  # Any: ids, stars and vectors
        "photo_ids": ids,
        "ratings": ratings,
        "vectors": rated_vectors,
        "archive": archive,
    }
    data = await asyncio.to_thread(vectors.packed, members)
    claim = await asyncio.to_thread(claims.put, f"{JOBS_FOLDER}/train-{secrets.token_hex(8)}.npz", data)
    return _Gathered(claim, model, state.requested_seq, len(ids))


async def _begin(session: AsyncSession, gathered: _Gathered, now: datetime) -> int | None:
    state = (await session.scalars(select(TasteState).with_for_update())).one()
    if await _is_running(session):
        return None  # another orchestrator was faster
    version = (await session.scalar(text("SELECT coalesce(max(version), 0) + 1 FROM taste_models"))) or 1
    session.add(
        TasteModel(
            version=version,
            state=service.TRAINING,
            embedding_model=gathered.embedding_model,
            read_seq=gathered.read_seq,
            n=gathered.n,
            created_at=now,
        )
    )
    # What was decided while this was gathered is for the next training, a window later.
    state.due_at = now if state.requested_seq > gathered.read_seq else None
    state.is_urgent, state.last_started_at = False, now
    await session.flush()
    request = train.Request(version=version, model=gathered.embedding_model, file_path=gathered.claim)
    await runs.queue(session, [runs.NewRun("train", None, request, job=f"taste:{version}")])
    await events.record(session, events.TASTE, [version])
    log.info("taste.training_started", version=version, n=gathered.n)
    return version
