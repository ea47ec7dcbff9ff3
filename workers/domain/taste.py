"""Learning a taste from ratings, and how good it is on ratings that it has not seen."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.taste_model import TasteModel
from shared.taste_space import Floats, TasteSpace
from workers.domain.taste_accuracy import pair_order, r2, spearman
from workers.domain.taste_ridge import Ridge, fit
from workers.domain.taste_space import LANDMARKS, space_of

FOLDS = 10
FITTED_PHOTOS = 2_000  # per measurement: few ratings are split often, many once
MOST_REPEATS = 10
CURVE = (10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
LARGEST_SHARE = 0.8  # of the ratings that a point of the curve learns from; the rest is there to be predicted
MIDDLE_STARS = 3.0  # what is foretold for the only rated photo
SEED = 150  # the same ratings give the same model and the same numbers

Doubles = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Accuracy:
    """On photos that the model had not seen. `interval` is the 95 % one of `pair_order`."""

    spearman: float
    r2: float
    pair_order: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class CurvePoint:
    """How good a model of `n` ratings is."""

    n: int
    spearman: float
    pair_order: float


@dataclass(frozen=True)
class Learned:
    """`accuracy` is None, and the curve empty, when all ratings are equal."""

    model: TasteModel
    alpha: float
    accuracy: Accuracy | None
    curve: tuple[CurvePoint, ...]


def learn(
    *,
    version: int,
    embedding_model: str,
    photo_ids: NDArray[np.int64],
    ratings: Floats,
    vectors: NDArray[np.float16],
    archive: NDArray[np.float16],
) -> Learned:
    """A taste from n rated photos, (n,), (n,) and (n, 768), n at least 1, and a sample (m, 768) of the archive.

    An archive of fewer than 512 photos is filled up with the rated ones.
    """
    sample = archive if len(archive) >= LANDMARKS else np.concatenate([archive, vectors])
    space = space_of(sample.astype(np.float32))
    features = space.features(vectors).astype(np.float64)
    foretold = _foretold(features, ratings)
    ridge = fit(features, ratings)
    accuracy = _accuracy(foretold, ratings)
    return Learned(
        model=_model(version, embedding_model, photo_ids, ratings, vectors, space, ridge, foretold.mean(axis=0)),
        alpha=ridge.alpha,
        accuracy=accuracy,
        curve=() if accuracy is None else (*_curve(features, ratings), _last_point(accuracy, len(ratings))),
    )


def _foretold(features: Doubles, ratings: Floats) -> Doubles:
    """(repeats, n): each photo's stars by a model of the other folds, alpha and all."""
    count = len(ratings)
    if count == 1:
        return np.full((1, 1), MIDDLE_STARS)
    random = np.random.default_rng(SEED)
    foretold = np.empty((_repeats(count), count))
    for row in foretold:
        folds = _folds(ratings, random)
        for fold in range(folds.max() + 1):
            left_out = folds == fold
            row[left_out] = fit(features[~left_out], ratings[~left_out]).predict(features[left_out])
    return foretold


def _repeats(count: int) -> int:
    return min(MOST_REPEATS, max(1, FITTED_PHOTOS // count))


def _folds(ratings: Floats, random: np.random.Generator) -> Places:
    """The fold of each photo. Every fold gets its share of each rating: folds of unlike means, each predicted from the
    others, would make a model look worse than it is."""
    count = len(ratings)
    order = np.lexsort((random.random(count), ratings))
    folds = np.empty(count, dtype=np.int64)
    folds[order] = np.concatenate([random.permutation(FOLDS) for _ in range(0, count, FOLDS)])[:count]
    return np.unique(folds, return_inverse=True)[1]


def _accuracy(foretold: Doubles, ratings: Floats) -> Accuracy | None:
    if (ratings == ratings[0]).all():
        return None
    orders = [pair_order(row, ratings) for row in foretold]
    low, high = np.mean([order.interval for order in orders], axis=0)
    return Accuracy(
        spearman=_mean([spearman(row, ratings) for row in foretold]),
        r2=_mean([r2(row, ratings) for row in foretold]),
        pair_order=_mean([order.share for order in orders]),
        interval=(float(low), float(high)),
    )


def _mean(values: list[float]) -> float:
    return float(np.mean(values))


def _curve(features: Doubles, ratings: Floats) -> Iterator[CurvePoint]:
    random = np.random.default_rng(SEED)
    for n in CURVE:
        if n <= LARGEST_SHARE * len(ratings):
            splits = (random.permutation(len(ratings)) for _ in range(_repeats(n)))
            parts = [(order[:n], order[n:]) for order in splits]
            parts = [(known, unseen) for known, unseen in parts if np.ptp(ratings[unseen]) > 0]
            if parts:
                yield _point(features, ratings, n, parts)


def _point(features: Doubles, ratings: Floats, n: int, parts: list[tuple[Places, Places]]) -> CurvePoint:
    foretold = [
        (fit(features[known], ratings[known]).predict(features[unseen]), ratings[unseen]) for known, unseen in parts
    ]
    return CurvePoint(
        n=n,
        spearman=_mean([spearman(stars, given) for stars, given in foretold]),
        pair_order=_mean([pair_order(stars, given).share for stars, given in foretold]),
    )


def _last_point(accuracy: Accuracy, n: int) -> CurvePoint:
    return CurvePoint(n, accuracy.spearman, accuracy.pair_order)


def _model(
    version: int,
    embedding_model: str,
    photo_ids: NDArray[np.int64],
    ratings: Floats,
    vectors: NDArray[np.float16],
    space: TasteSpace,
    ridge: Ridge,
    out_of_fold: NDArray[Any],  # Any: any float type
) -> TasteModel:
    return TasteModel(
        version=version,
        embedding_model=embedding_model,
        photo_ids=photo_ids,
        ratings=ratings,
        vectors=vectors,
        space=space,
        centre=ridge.centre.astype(np.float32),
        dual=ridge.dual.astype(np.float32),
        intercept=ridge.intercept,
        out_of_fold=out_of_fold.astype(np.float32),
    )
