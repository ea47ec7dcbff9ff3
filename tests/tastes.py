"""People with a taste, made of random numbers: photos in clusters, and stars for what lies in one direction."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.contracts.embed import DIMENSIONS
from workers.domain.taste import Learned, learn

EMBEDDING_MODEL = "starter:test"


@dataclass(frozen=True)
class Person:
    """Ratings of n photos of an archive of m."""

    archive: NDArray[np.float16]  # (m, 768)
    photo_ids: NDArray[np.int64]
    vectors: NDArray[np.float16]  # (n, 768)
    ratings: NDArray[np.float32]

    def arrays(self, **changed: Any) -> dict[str, Any]:
        """What a request of the stage `train` is about."""
        return {
            "photo_ids": self.photo_ids, "ratings": self.ratings, "vectors": self.vectors, "archive": self.archive
        } | changed  # fmt: skip

    def learned(self, version: int = 1) -> Learned:
        return learn(version=version, embedding_model=EMBEDDING_MODEL, **self.arrays())


def a_person(n: int, seed: int = 0, *, noise: float = 0.5, archive: int = 300) -> Person:
    """Rates the first n photos. A noise of 0.5 is half the spread of what is liked."""
    random = np.random.default_rng(seed)
    photos = some_photos(max(archive, n), seed)
    liked = photos.astype(np.float32) @ random.normal(size=DIMENSIONS)
    stars = 3 + (liked - liked.mean()) / liked.std() + noise * random.normal(size=len(photos))
    ratings = np.clip(np.round(stars), 1, 5)[:n].astype(np.float32)
    return Person(photos[:archive], np.arange(n, dtype=np.int64) + 100, photos[:n], ratings)


def some_photos(count: int, seed: int = 0) -> NDArray[np.float16]:
    """Unit vectors whose variance falls from direction to direction, as that of photographs does: (count, 768)."""
    random = np.random.default_rng([seed, 1])
    vectors = random.normal(size=(count, DIMENSIONS)) / np.arange(1, DIMENSIONS + 1)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()
