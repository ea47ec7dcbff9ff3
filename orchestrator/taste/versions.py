"""What the person asks of the versions: train one now, use an older one."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.answers import Refused
from orchestrator.db import Sessions
from orchestrator.embedding import service as embedding
from orchestrator.models import TasteModel
from orchestrator.taste import service
from orchestrator.taste.artifacts import Artifacts
from shared.taste_model import TasteModelBroken

_MAX_VERSION = 2**31 - 1


async def train_now(session: AsyncSession) -> None:
    """Refused while there is too little to learn from."""
    learnable = await session.scalar(
        text(
            "SELECT count(*) FROM photos JOIN photo_vectors ON photo_id = photos.id JOIN embedding_models ON"
            " name = model AND state = 'current' WHERE user_rating IS NOT NULL AND deleted_at IS NULL"
        )
    )
    if (needed := service.LEAST_RATINGS - (learnable or 0)) > 0:
        word = "photo" if needed == 1 else "photos"
        sentence = f"Rate {needed} more {word} first: fewer than {service.LEAST_RATINGS} say too little."
        raise Refused(409, "too_few_ratings", sentence)
    await service.train_now(session)


async def activate(sessions: Sessions, artifacts: Artifacts, number: int) -> None:
    """Refused when this version cannot be used: unknown, unfinished, of other embeddings, or its file is not good."""
    async with sessions() as session:
        version = await session.get(TasteModel, number) if number <= _MAX_VERSION else None
        model_in_force = await embedding.in_force(session)
    if version is None:
        raise Refused(404, "unknown_version", f"There is no version {number}.")
    if version.state not in (service.READY, service.BROKEN):
        raise Refused(409, "not_trained", f"Version {number} was never finished, so it cannot be used.")
    if version.embedding_model != model_in_force:
        raise Refused(409, "other_embeddings", f"Version {number} learned from other embeddings than those in use now.")
    try:
        await artifacts.load(version)
    except TasteModelBroken as exc:
        async with sessions.begin() as session:
            await service.mark_broken(session, number, exc.message)
        raise Refused(409, "model_broken", f"{exc.message} It cannot be used.") from exc
    async with sessions.begin() as session:
        await service.put_in_force(session, version)
