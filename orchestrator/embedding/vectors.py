"""Vectors as PostgreSQL sends them, read without a detour over text."""

import numpy as np
from numpy.typing import NDArray

from shared.contracts.embed import DIMENSIONS

# pgvector sends a count and an unused number, two bytes each, before the big-endian values.
SENT = "substr(halfvec_send(vector), 5)"

Vectors = NDArray[np.float16]


def unpacked(sent: bytes) -> Vectors:
    """What `SENT` selected of n rows, one after the other: (n, 768)."""
    return np.frombuffer(sent, ">f2").reshape(-1, DIMENSIONS).astype("<f2")
