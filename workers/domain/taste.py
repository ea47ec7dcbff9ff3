"""Learning a taste from ratings, and how good it is on ratings that it has not seen."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from shared.taste_model import TasteModel
from shared.taste_space import Floats
from workers.domain.taste_accuracy import pair_order, r2, spearman
from workers.domain.taste_ridge import fit
from workers.domain.taste_space import LANDMARKS, space_of

FEW = 2_000  # ratings, up to which a measurement is worth more fits
FOLDS, FOLDS_OF_MANY = 20, 5
MOST_REPEATS = 3
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
    # More threads only slow small matrices down, and the sums of one have one order: the same ratings, the same bytes.
    with threadpool_limits(limits=1, user_api="blas"):
        space = space_of(sample.astype(np.float32))
        features = space.features(vectors).astype(np.float64)
        ridge, foretold = fit(features, ratings), _foretold(features, ratings)
        accuracy = _accuracy(foretold, ratings)
        curve = () if accuracy is None else (*_curve(features, ratings), _last_point(accuracy, len(ratings)))
    model = TasteModel(
        version=version,
        embedding_model=embedding_model,
        photo_ids=photo_ids,
        ratings=ratings,
        vectors=vectors,
        space=space,
        centre=ridge.centre.astype(np.float32),
        dual=ridge.dual.astype(np.float32),
        intercept=ridge.intercept,
        out_of_fold=foretold.astype(np.float32),
    )
    return Learned(model, ridge.alpha, accuracy, curve)


def _foretold(features: Doubles, ratings: Floats) -> Doubles:
    """Each photo's stars, (n,), by models of the other folds, penalty and all; the mean over a few ways to make folds.

    All of them are put on the level of all ratings. On its own, a model without the best photos would be below the
    others just where it foretells the best, and the whole would look worse than it is.
    """
    count = len(ratings)
    if count == 1:
        return np.full(1, MIDDLE_STARS)
    random = np.random.default_rng(SEED)
    centred, departure = features - features.mean(axis=0), np.zeros(count)
    repeats = 1 if count <= _fold_count(count) else _repeats(count)
    for _ in range(repeats):
        folds = _folds(ratings, random)
        for fold in range(_fold_count(count)):
            left_out = folds == fold
            departure[left_out] += centred[left_out] @ fit(features[~left_out], ratings[~left_out]).weights
    return np.asarray(ratings.mean(dtype=np.float64) + departure / repeats)


def _fold_count(count: int) -> int:
    return min(count, FOLDS if count <= FEW else FOLDS_OF_MANY)


def _repeats(count: int) -> int:
    return min(MOST_REPEATS, max(1, FEW // count))


def _folds(ratings: Floats, random: np.random.Generator) -> Places:
    """The fold of each photo, (n,). Every fold gets its share of low and of high ratings."""
    count = len(ratings)
    size = _fold_count(count)
    folds = np.empty(count, dtype=np.int64)
    in_order = np.lexsort((random.random(count), ratings))
    folds[in_order] = np.concatenate([random.permutation(size) for _ in range(0, count, size)])[:count]
    return folds


def _accuracy(foretold: Doubles, ratings: Floats) -> Accuracy | None:
    if (ratings == ratings[0]).all():
        return None
    order = pair_order(foretold, ratings)
    return Accuracy(
        spearman=spearman(foretold, ratings),
        r2=r2(foretold, ratings),
        pair_order=order.share,
        interval=order.interval(_fold_count(len(ratings))),
    )


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
        spearman=float(np.mean([spearman(stars, given) for stars, given in foretold])),
        pair_order=float(np.mean([pair_order(stars, given).share for stars, given in foretold])),
    )


def _last_point(accuracy: Accuracy, n: int) -> CurvePoint:
    return CurvePoint(n, accuracy.spearman, accuracy.pair_order)
