"""Reading the learned taste: where it stands, and the photos that show it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.embedding import service as embedding
from orchestrator.models import Photo, TasteModel, TasteState
from orchestrator.photos.queries import photos_by_id
from orchestrator.photos.selection import Selection
from orchestrator.photos.views import PhotoItem
from orchestrator.taste import service
from orchestrator.taste.figures import Figures
from orchestrator.taste.sentences import sentence_of
from orchestrator.taste.training import state_of
from orchestrator.taste.views import CurvePoint, State, TasteOverview, TasteRows, Version

PER_ROW = 12
MOST_VERSIONS = 50
FULL_SPAN = 100  # of a score: 1 to 5 stars

_RATED = text(
    """
    SELECT count(*) AS rated, count(v.photo_id) AS learnable
    FROM photos LEFT JOIN photo_vectors v ON v.photo_id = photos.id AND v.model = :model
    WHERE user_rating IS NOT NULL AND deleted_at IS NULL
    """
)
_IS_RESCORING = text(
    """
    SELECT EXISTS (SELECT 1 FROM photos WHERE preview IS NOT NULL AND deleted_at IS NULL
        AND score_activation BETWEEN 1 AND :activation - 1)
      OR EXISTS (SELECT 1 FROM stage_runs WHERE stage = 'score' AND subject NOT LIKE '%\\:new'
        AND state NOT IN ('done', 'failed', 'cancelled'))
    """
)
_HELD_UP = text(
    """
    SELECT cause FROM (
      SELECT 1 AS rank, cause FROM breakers WHERE stage IN ('train', 'score')
      UNION ALL SELECT 2, 'You have paused this: it goes on when you resume it.' FROM stage_pauses
        WHERE stage IN ('train', 'score')
      UNION ALL SELECT 3, error FROM stage_runs WHERE stage = 'score' AND state = 'failed') AS causes
    ORDER BY rank LIMIT 1
    """
)


async def overview(
    session: AsyncSession, window_seconds: float, figures: Figures, trouble: str | None
) -> TasteOverview:
    state = await state_of(session)
    embedding_model = await embedding.in_force(session)
    versions = await _versions(session, state, embedding_model)
    model = next((version for version in versions if version.is_in_force), None)
    counted = (await session.execute(_RATED, {"model": embedding_model})).one()
    needed = max(0, service.LEAST_RATINGS - counted.learnable)
    word = await _state(session, state, versions, needed)
    return TasteOverview(
        sentence=sentence_of(model, word, counted.learnable, counted.rated, needed, is_trusted=state.is_trusted),
        n=counted.learnable,
        rated=counted.rated,
        needed=needed,
        state=word,
        due_at=service.starts_at(state, window_seconds) if not needed else None,
        problem=await _problem(session, word, versions, trouble),
        model=model,
        is_trusted=state.is_trusted,
        activation=state.activation,
        rescored=figures.rescored,
        total=figures.total,
        histogram=figures.histogram,
        curve=await _curve(session, state),
        versions=versions,
    )


async def _versions(session: AsyncSession, state: TasteState, embedding_model: str | None) -> list[Version]:
    query = select(TasteModel).order_by(col(TasteModel.version).desc()).limit(MOST_VERSIONS)
    found = list(await session.scalars(query))
    if state.version is not None and all(model.version != state.version for model in found):
        found += await session.scalars(select(TasteModel).where(col(TasteModel.version) == state.version))
    return [_version(model, state, embedding_model) for model in found]


def _version(model: TasteModel, state: TasteState, embedding_model: str | None) -> Version:
    accuracy = model.metrics.get("accuracy") or {}
    is_in_force = model.version == state.version
    return Version(
        **model.model_dump(include={"version", "state", "n", "embedding_model", "error", "created_at"}),
        **{name: accuracy.get(name) for name in ("spearman", "r2", "pair_order", "interval")},
        is_in_force=is_in_force,
        can_be_used=not is_in_force and model.state == service.READY and model.embedding_model == embedding_model,
    )


async def _state(session: AsyncSession, state: TasteState, versions: Sequence[Version], needed: int) -> State:
    if any(version.state in (service.TRAINING, service.TRAINED) for version in versions):
        return "training"
    if await session.scalar(_IS_RESCORING, {"activation": state.activation}):
        return "rescoring"
    if needed:
        return "waiting"
    return "due" if state.due_at is not None else "idle"


async def _problem(session: AsyncSession, state: State, versions: Sequence[Version], trouble: str | None) -> str | None:
    if state in ("training", "rescoring"):
        cause: str | None = await session.scalar(_HELD_UP)
        return cause or trouble
    newest = versions[0] if versions else None
    return newest.error if newest and newest.state in (service.VERSION_FAILED, service.BROKEN) else None


async def _curve(session: AsyncSession, state: TasteState) -> list[CurvePoint]:
    model = await session.get(TasteModel, state.version) if state.version is not None else None
    return [CurvePoint.model_validate(point) for point in (model.metrics.get("curve") or ())] if model else []


async def rows_of_photos(session: AsyncSession) -> TasteRows:
    """The ends of the index of scores, and the rated photos about which the model and the person differ most."""
    score, ids = col(Photo.preference_score), col(Photo.id)
    gap = f"abs((user_rating - 1) * {FULL_SPAN // 4} - preference_score)"
    return TasteRows(
        loves=await _photos(session, [score.is_not(None)], [score.desc().nulls_last(), ids.desc()]),
        rejects=await _photos(session, [score.is_not(None)], [score.asc().nulls_first(), ids.asc()]),
        disagrees=await _photos(
            session,
            [col(Photo.user_rating).is_not(None), score.is_not(None), text(f"{gap} > {FULL_SPAN // 4}")],
            [text(f"{gap} DESC"), ids.desc()],
        ),
    )


async def _photos(session: AsyncSession, where: Sequence[Any], order: Sequence[Any]) -> list[PhotoItem]:
    # Any: SQL expressions, some of them text
    visible: list[ColumnElement[bool]] = [
        col(Photo.preview).is_not(None),
        col(Photo.deleted_at).is_(None),
        col(Photo.rejected_at).is_(None),
    ]
    found = await session.scalars(select(col(Photo.id)).where(*visible, *where).order_by(*order).limit(PER_ROW))
    ids = [id_ for id_ in found if id_ is not None]
    photos = {photo.id: photo for photo in await photos_by_id(session, Selection(filter=None), ids)}
    return [photos[id_] for id_ in ids if id_ in photos]
