"""The space of tastes, from a sample of the archive: what varies much in it counts more than what hardly does."""

import numpy as np
from numpy.typing import NDArray

from shared.taste_space import SHARPNESS, Floats, TasteSpace, unit_rows

DIRECTIONS = 128  # of the archive that are looked at; more change nothing that could be measured
LANDMARKS = 512  # photos; the cost of training grows with the cube of it
DIRECTION_POWER = 1.5  # of the singular values; 1 is the plain vector
FEATURE_POWER = 1.5  # the same again on the landmarks' likenesses
NEGLIGIBLE = 1e-5  # of the largest eigenvalue; what is below is rounding
SEED = 20  # the same sample gives the same space

Doubles = NDArray[np.float64]


def space_of(sample: Floats) -> TasteSpace:
    """The space of an archive, from the vectors (m, 768) of a sample of it, m at least 1.

    Features have a mean square length of 1 over the landmarks. Photos that are all alike have features of zero.
    """
    mean = sample.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred = sample - mean
    projection = _projection(centred)
    chosen = np.random.default_rng(SEED).permutation(len(sample))[:LANDMARKS]
    landmarks = unit_rows(centred[chosen] @ projection)
    return TasteSpace(mean, projection, landmarks, _metric(landmarks.astype(np.float64)))


def _projection(centred: Floats) -> Floats:
    """Principal directions, each scaled by its singular value to the power less the one that vectors have anyway."""
    variances, directions = _largest((centred.T @ centred / len(centred)).astype(np.float64), DIRECTIONS)
    return np.asarray(directions * variances ** ((DIRECTION_POWER - 1) / 2), dtype=np.float32)


def _metric(landmarks: Doubles) -> Floats:
    """Kernel principal components of the landmarks (Schölkopf et al. 1998), their eigenvalues raised to a power."""
    likeness = np.exp(SHARPNESS * (landmarks @ landmarks.T - 1))
    row = likeness.mean(axis=0)
    values, directions = _largest(likeness - row - row[:, None] + row.mean(), len(landmarks))
    if not values.any():
        return np.zeros((len(landmarks), 1), dtype=np.float32)
    mean_square = (values**FEATURE_POWER).sum() / len(landmarks)
    return np.asarray(directions * values ** (FEATURE_POWER / 2 - 1) / np.sqrt(mean_square), dtype=np.float32)


def _largest(symmetric: Doubles, count: int) -> tuple[Doubles, Doubles]:
    """Eigenvalues, falling, and eigenvectors of those that are not negligible; one of value 0 if all are."""
    values, vectors = np.linalg.eigh(symmetric)
    kept = int(np.count_nonzero(values > max(values[-1] * NEGLIGIBLE, 1e-12)))
    if kept == 0:
        return np.zeros(1), vectors[:, -1:]
    count = min(kept, count)
    return values[::-1][:count], vectors[:, ::-1][:, :count]
