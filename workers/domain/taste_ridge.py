"""Ridge regression whose penalty is chosen by leave-one-out, without fitting n times."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

ALPHAS = np.logspace(-3, 3, 25)  # for features of mean square length 1
USUAL_ALPHA = 2.0
# Leave-one-out alone is a poor judge of 20 ratings. A tenfold change of alpha has to lower n log(error) by this much.
LOYALTY = 4.0

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Ridge:
    """prediction = intercept + (features - centre) . weights, and weights = dual . (the n features - centre)."""

    alpha: float
    intercept: float  # the mean rating
    centre: Doubles  # (q,)
    weights: Doubles  # (q,)
    dual: Doubles  # (n,), sums to 0

    def predict(self, features: NDArray[Any]) -> Doubles:  # Any: any float type
        """(m, q) to (m,)."""
        return np.asarray(self.intercept + (features - self.centre) @ self.weights)


def fit(features: NDArray[Any], ratings: NDArray[Any]) -> Ridge:  # Any: any float type
    """Of (n, q) and (n,), n at least 1. Equal ratings give a model of their mean."""
    centre, intercept = features.mean(axis=0, dtype=np.float64), float(ratings.mean(dtype=np.float64))
    centred, residual = features - centre, ratings - intercept
    values, basis = _decomposed(centred)
    parts = basis.T @ residual
    alpha = _best_alpha(values, basis, parts, residual)
    dual = (residual - basis @ (parts * values / (values + alpha))) / alpha
    return Ridge(alpha, intercept, centre, centred.T @ dual, dual)


def _decomposed(centred: Doubles) -> tuple[Doubles, Doubles]:
    """Eigenvalues (k,) and eigenvectors (n, k) of centred @ centred.T, by the smaller of the two Gram matrices."""
    count, features = centred.shape
    if count <= features:
        values, basis = np.linalg.eigh(centred @ centred.T)
        return np.maximum(values, 0), basis
    values, directions = np.linalg.eigh(centred.T @ centred)
    kept = values > values[-1] * 1e-10
    return values[kept], centred @ (directions[:, kept] / np.sqrt(values[kept]))


def _best_alpha(values: Doubles, basis: Doubles, parts: Doubles, residual: Doubles) -> float:
    """The alpha of the least leave-one-out error, drawn towards the usual one while ratings are few.

    The error of a photo left out is its residual over 1 - leverage (Allen's PRESS); the intercept's leverage is 1/n.
    """
    count = len(residual)
    if count == 1:
        return USUAL_ALPHA
    shrinkage = values[:, None] / (values[:, None] + ALPHAS)  # (k, alphas)
    fitted = basis @ (parts[:, None] * shrinkage)
    leverage = basis**2 @ shrinkage + 1 / count
    errors = (((residual[:, None] - fitted) / np.maximum(1 - leverage, 1e-9)) ** 2).mean(axis=0)
    cost = count * np.log(np.maximum(errors, 1e-12)) + LOYALTY * np.log10(ALPHAS / USUAL_ALPHA) ** 2
    return float(ALPHAS[np.argmin(cost)])
