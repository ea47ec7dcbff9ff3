"""Applying what the train and score stages answer."""

from collections.abc import Sequence
from typing import cast

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.stage_results import Applied
from orchestrator.taste.jobs import Batch
from shared.contracts import score, train


async def apply_trainings(session: AsyncSession, applied: Sequence[Applied]) -> Sequence[int]:
    """Note what was trained. The keeper looks at the artifact and puts it in force: that takes longer than an answer
    should, and locks what decisions lock. The first result of a version wins."""
    for result in (cast(train.Result, one.result) for one in applied):
        metrics = train.Result.model_dump_json(result, include={"alpha", "accuracy", "curve"})
        await session.execute(
            text(
                "UPDATE taste_models SET state = 'trained', artifact = :artifact, n = :n, error = NULL,"
                " metrics = CAST(:metrics AS jsonb), finished_at = now() WHERE version = :version"
                " AND embedding_model = :model AND state IN ('training', 'failed')"
            ),
            {
                "version": result.version,
                "model": result.model,
                "artifact": result.artifact,
                "n": result.n,
                "metrics": metrics,
            },
        )
    return []


async def apply_scores(session: AsyncSession, applied: Sequence[Applied]) -> Sequence[int]:
    """Scores of the activation in force; those of another one are stale and change nothing.

    Whole archives pass through here: only photos that were new are reported as changed, for the rest there is one
    notice at the end. A photo that was rated meanwhile takes its score too: no model in force has seen its rating.
    """
    activation = await session.scalar(text("SELECT activation FROM taste_state"))
    new: list[int] = []
    for one in applied:
        result = cast(score.Result, one.result)
        batch = Batch.of(one.run.subject)
        if batch is None or result.activation != activation:
            continue
        await write_scores(session, activation, result.photo_ids, result.scores, batch.before)
        if batch.is_new:
            new += result.photo_ids
    return new


async def write_scores(
    session: AsyncSession, activation: int, photo_ids: Sequence[int], scores: Sequence[int], before: int | None = None
) -> int:
    """Set these scores under this activation; `before` passes over photos that had another one when they were read,
    because their vector is a new one. Returns how many changed. Locks in the order of ids, as decisions do."""
    result = await session.execute(
        text(
            """
            WITH new AS (
              SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:scores AS smallint[])) AS new (id, score)
            ), old AS MATERIALIZED (
              SELECT photos.id, new.score FROM photos JOIN new ON new.id = photos.id
              WHERE coalesce(score_activation, -1) < :activation
                AND (CAST(:before AS integer) IS NULL OR coalesce(score_activation, -1) = :before)
              ORDER BY photos.id FOR UPDATE OF photos)
            UPDATE photos SET preference_score = old.score, score_activation = :activation
            FROM old WHERE photos.id = old.id RETURNING photos.id
            """
        ),
        {"ids": list(photo_ids), "scores": list(scores), "activation": activation, "before": before},
    )
    return len(result.all())
