"""The space in which taste is a straight line: what a vector is like, seen from a few photos of the archive."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.contracts.embed import DIMENSIONS

Floats = NDArray[np.float32]

SHARPNESS = 2.0  # of likeness: how fast it falls from a photo to a different one


@dataclass(frozen=True, eq=False)
class TasteSpace:
    """Made from a sample of the archive, without any rating. Figures in docs/decisions/0010.

    A vector is centred, projected on the archive's main directions and made unit length. Its likeness to each of m
    landmark photos, exp(2 (cosine - 1)), is turned into q features.
    """

    mean: Floats  # (768,)
    projection: Floats  # (768, r)
    landmarks: Floats  # (m, r), unit length
    metric: Floats  # (m, q)

    def features(self, vectors: NDArray[Any]) -> Floats:  # Any: any float type
        """(n, 768) to (n, q)."""
        return self.likeness(vectors) @ self.metric

    def along(self, vectors: NDArray[Any], direction: Floats) -> Floats:  # Any: any float type
        """The features' dot product with a direction (q,), cheaper than the features: (n, 768) to (n,)."""
        return self.likeness(vectors) @ (self.metric @ direction)

    def likeness(self, vectors: NDArray[Any]) -> Floats:  # Any: any float type
        """(n, 768) to (n, m), each from 0 to 1. Where a vector is the archive's mean it has no direction: exp(-2)."""
        centred = np.asarray(vectors, dtype=np.float32).reshape(-1, DIMENSIONS) - self.mean
        cosines = unit_rows(centred @ self.projection) @ self.landmarks.T
        return np.asarray(np.exp(SHARPNESS * (cosines - 1)), dtype=np.float32)


def unit_rows(rows: NDArray[Any]) -> Floats:  # Any: any float type
    """Each row over its length; a row of zeros stays."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1), dtype=np.float32)
