"""Why a photo has its score: the rated photos that pull most on it."""

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.answers import Refused
from orchestrator.models import Photo, TasteModel
from orchestrator.photos.missing import unknown_photo
from orchestrator.photos.queries import photos_by_id
from orchestrator.photos.selection import Selection
from orchestrator.taste import vectors
from orchestrator.taste.artifacts import Artifacts
from orchestrator.taste.training import state_of
from orchestrator.taste.views import Pull, Why
from shared.taste_model import TasteModel as Taste
from shared.taste_model import TasteModelBroken, score_of

STRONGEST = 3  # each way
LEAST_PULL = 0.005  # stars: what would be shown as 0.00 says nothing
_LOOKED_AT = 50  # strongest pulls, of which some photos may have been removed since


async def why(session: AsyncSession, artifacts: Artifacts, photo_id: int) -> Why:
    """Raises Refused when there is no such photo, no model, or no vector of the photo that it could judge."""
    photo = await session.get(Photo, photo_id)
    if photo is None or photo.deleted_at is not None:
        raise unknown_photo()
    taste = await _taste(session, artifacts)
    _, found = await vectors.read(session, taste.embedding_model, [photo_id])
    if not len(found):
        raise Refused(
            409, "no_vector", f"{photo.file_name} has not been looked at yet, so there is nothing to explain."
        )
    pulls, own = taste.pulls(found[0]), np.flatnonzero(taste.photo_ids == photo_id)
    if own.size:
        # What it was trained on it knows by heart: say what it thought without this rating, and whose pull is left.
        prediction, pulls[own] = float(taste.out_of_fold[own[0]]), 0
    else:
        prediction = float(taste.predict(found)[0])
    order = np.argsort(pulls)
    return Why(
        photo_id=photo_id,
        version=taste.version,
        prediction=prediction,
        score=int(score_of(np.array(prediction))),
        intercept=taste.intercept,
        up=await _strongest(session, taste, pulls, order[::-1], sign=1),
        down=await _strongest(session, taste, pulls, order, sign=-1),
        note=_note(photo, taste, own),
    )


async def _taste(session: AsyncSession, artifacts: Artifacts) -> Taste:
    state = await state_of(session)
    version = await session.get(TasteModel, state.version) if state.version is not None else None
    if version is None:
        raise Refused(409, "no_model", "There is no taste model yet: it needs more ratings.")
    try:
        return await artifacts.load(version)
    except TasteModelBroken as exc:
        raise Refused(409, "model_broken", f"{exc.message} It is being trained again.") from exc


async def _strongest(
    session: AsyncSession, taste: Taste, pulls: NDArray[np.float32], order: NDArray[np.intp], sign: int
) -> list[Pull]:
    strong = [place for place in order[:_LOOKED_AT].tolist() if pulls[place] * sign >= LEAST_PULL]
    ids = [int(taste.photo_ids[place]) for place in strong]
    photos = {photo.id: photo for photo in await photos_by_id(session, Selection(filter=None), ids)}
    shown = [(place, id_) for place, id_ in zip(strong, ids, strict=True) if id_ in photos]
    return [Pull(photo=photos[id_], pull=float(pulls[place])) for place, id_ in shown[:STRONGEST]]


def _note(photo: Photo, taste: Taste, own: NDArray[np.intp]) -> str | None:
    if not own.size:
        return None
    stars = int(taste.ratings[own[0]])
    now = "" if photo.user_rating == stars else " You have changed that since."
    given = f"{stars} {'star' if stars == 1 else 'stars'}"
    return (
        f"You gave this photo {given}, and the model learned from it. The score is what it expected without knowing"
        f" that; the pulls leave this photo out.{now}"
    )
