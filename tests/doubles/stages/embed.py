"""Stage `embed` without a model: a vector made of the photo's number."""

from collections.abc import Sequence

import numpy as np

from shared.contracts import embed
from workers.stage import Stage
from workers.tools import Tools


def handle(requests: Sequence[embed.Request], tools: Tools) -> list[embed.Result]:
    return [
        embed.Result(photo_id=request.photo_id, model=request.model, vector=_vector(request.photo_id))
        for request in requests
    ]


def _vector(seed: int) -> np.ndarray:
    vector = np.random.default_rng(seed).normal(size=embed.DIMENSIONS)
    return vector / np.linalg.norm(vector)


stage = Stage("embed", embed.Request, embed.Result, handle, batch=16)
