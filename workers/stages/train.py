"""Stage `train`: a person's ratings become a model of their taste."""

import hashlib

import numpy as np

from shared.contracts import train
from shared.contracts.embed import DIMENSIONS
from workers.domain.taste import Learned, learn
from workers.engines.claimed_arrays import Arrays, BrokenNumbers, read_arrays
from workers.stage import Stage, one_by_one
from workers.tools import Tools

LOWEST_STARS, HIGHEST_STARS = 1, 5
LARGEST_NUMBER = 1.01  # in a vector of unit length, and room for rounding


def handle(request: train.Request, tools: Tools) -> train.Result:
    """The artifact is named by its content: a redelivery writes the same file again."""
    arrays = read_arrays(tools.claims, request.file_path, ("photo_ids", "ratings", "vectors", "archive"))
    _check(arrays)
    learned = learn(
        version=request.version,
        embedding_model=request.model,
        photo_ids=arrays["photo_ids"].astype(np.int64),
        ratings=arrays["ratings"].astype(np.float32),
        vectors=arrays["vectors"].astype(np.float16),
        archive=arrays["archive"].astype(np.float16),
    )
    data = learned.model.to_bytes()
    artifact = tools.claims.put(f"taste/{request.version}-{hashlib.sha256(data).hexdigest()}.npz", data)
    return _result(request, artifact, learned)


def _check(arrays: Arrays) -> None:
    photo_ids, ratings, vectors, archive = (arrays[name] for name in ("photo_ids", "ratings", "vectors", "archive"))
    count = photo_ids.size
    if count == 0:
        raise BrokenNumbers("There is not one rated photo to learn from.")
    if photo_ids.shape != (count,) or ratings.shape != (count,) or vectors.shape != (count, DIMENSIONS):
        raise BrokenNumbers(f"The {count} rated photos do not have one rating and one vector of {DIMENSIONS} each.")
    if archive.ndim != 2 or archive.shape[1] != DIMENSIONS:
        raise BrokenNumbers(f"The sample of the archive does not have vectors of {DIMENSIONS} numbers.")
    if max(np.abs(vectors).max(), np.abs(archive).max(initial=0)) > LARGEST_NUMBER:
        raise BrokenNumbers("The vectors to learn from are not of unit length.")
    if photo_ids.dtype.kind not in "iu" or len(np.unique(photo_ids)) != count:
        raise BrokenNumbers("A photo is rated twice.")
    if ratings.min() < LOWEST_STARS or ratings.max() > HIGHEST_STARS:
        raise BrokenNumbers(f"A rating is not between {LOWEST_STARS} and {HIGHEST_STARS} stars.")


def _result(request: train.Request, artifact: str, learned: Learned) -> train.Result:
    accuracy = learned.accuracy
    return train.Result(
        version=request.version,
        model=request.model,
        artifact=artifact,
        n=len(learned.model.photo_ids),
        alpha=learned.alpha,
        accuracy=accuracy and train.Accuracy.model_validate(accuracy, from_attributes=True),
        curve=tuple(train.CurvePoint.model_validate(point, from_attributes=True) for point in learned.curve),
    )


stage = Stage("train", train.Request, train.Result, one_by_one(handle), deadline_seconds=1_200, max_attempts=3)
