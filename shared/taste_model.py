"""A learned taste as the train stage writes it and the score stage and the pages read it: a file without pickle.

The model is a ridge in its dual form: every rated photo has a weight, and a prediction is the intercept plus one pull
of each rated photo.
"""

import io
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.contracts.embed import DIMENSIONS
from shared.errors import Reject
from shared.taste_space import TasteSpace

FORMAT = 1  # of the file; a reader refuses any other
OF_THE_SPACE = ("mean", "projection", "landmarks", "metric")
OF_THE_MODEL = ("photo_ids", "ratings", "vectors", "centre", "dual", "out_of_fold")

Floats = NDArray[np.float32]
Arrays = dict[str, NDArray[Any]]  # Any: each of its own type


class TasteModelBroken(Reject):
    """The file of this taste model is missing or broken."""


def score_of(stars: NDArray[Any]) -> NDArray[np.int64]:  # Any: any float type
    """Predicted stars, of any shape, as scores: 1 star and less is 0, 5 and more is 100. No NaN."""
    return np.clip(np.round((np.asarray(stars, dtype=np.float64) - 1) * 25), 0, 100).astype(np.int64)


@dataclass(frozen=True, eq=False)
class TasteModel:
    """One version of a person's taste, learned from n rated photos; n is at least 1.

    The prediction for x is intercept + the sum over rated photos i of
    dual[i] * ((features of x - centre) . (features of vectors[i] - centre)).
    """

    version: int
    embedding_model: str  # of every vector it can judge
    photo_ids: NDArray[np.int64]  # (n,)
    ratings: Floats  # (n,), 1 to 5
    vectors: NDArray[np.float16]  # (n, 768), unit length
    space: TasteSpace  # with q features
    centre: Floats  # (q,), the mean features of the rated photos
    dual: Floats  # (n,)
    intercept: float  # stars: the mean rating
    out_of_fold: Floats  # (n,), stars from models that had not seen this photo's rating

    def predict(self, vectors: NDArray[Any]) -> Floats:  # Any: any float type
        """Stars of m photos, (m, 768) to (m,). Not clipped: a prediction can pass 5.

        As cheap for 14,000 rated photos as for 20.
        """
        return self.space.along(vectors, self._weights) + np.float32(self.intercept - self.centre @ self._weights)

    def scores(self, vectors: NDArray[Any]) -> NDArray[np.int64]:  # Any: any float type
        """0 to 100 of m photos, (m, 768) to (m,)."""
        return score_of(self.predict(vectors))

    def pulls(self, vector: NDArray[Any]) -> Floats:  # Any: any float type
        """What each rated photo adds to the prediction of one photo, (768,) to (n,), in stars.

        intercept + sum(pulls) is the prediction, but for rounding.
        """
        direction = self.space.features(vector)[0] - self.centre
        return np.asarray(self.dual * (self.space.along(self.vectors, direction) - self.centre @ direction))

    def out_of_fold_scores(self) -> NDArray[np.int64]:
        """Scores of the rated photos themselves, in the order of `photo_ids`."""
        return score_of(self.out_of_fold)

    @cached_property
    def _weights(self) -> Floats:
        """The same ridge in its primal form, (q,)."""
        total = (self.dual @ self.space.likeness(self.vectors)) @ self.space.metric
        return np.asarray(total - self.dual.sum() * self.centre)

    def to_bytes(self) -> bytes:
        """The file. Equal models give equal bytes."""
        file = io.BytesIO()
        np.savez(
            file,
            allow_pickle=False,
            format=np.int64(FORMAT),
            version=np.int64(self.version),
            embedding_model=np.array(self.embedding_model),
            intercept=np.float64(self.intercept),
            **{name: getattr(self.space, name) for name in OF_THE_SPACE},
            **{name: getattr(self, name) for name in OF_THE_MODEL},
        )
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> "TasteModel":
        """The model of a file. Raises TasteModelBroken for anything that `to_bytes` has not written."""
        found = _load(data)
        _check(found)
        return cls(
            version=int(found["version"]),
            embedding_model=str(found["embedding_model"]),
            intercept=float(found["intercept"]),
            space=TasteSpace(**{name: found[name] for name in OF_THE_SPACE}),
            **{name: found[name] for name in OF_THE_MODEL},
        )


def _load(data: bytes) -> Arrays:
    names = ("format", "version", "embedding_model", "intercept", *OF_THE_SPACE, *OF_THE_MODEL)
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            return {name: file[name] for name in names}
    except Exception as exc:  # numpy, zipfile and tokenize raise an open set for what is cut short or is something else
        raise TasteModelBroken("The file of this taste model is broken or cut short.", cause=str(exc)) from exc


def _check(found: Arrays) -> None:
    if found["format"].tolist() != FORMAT:
        raise TasteModelBroken("This taste model was written by another version of Keepers.")
    for name, (shape, kind) in _expected(found).items():
        array = found[name]
        if array.shape != shape or array.dtype != np.dtype(kind) or not np.isfinite(array).all():
            raise TasteModelBroken(f"The file of this taste model is broken: {name} is not what it should be.")
    if found["embedding_model"].shape != () or found["embedding_model"].dtype.kind != "U" or not len(found["dual"]):
        raise TasteModelBroken("The file of this taste model is broken: it names no photos or no embedding model.")


def _expected(found: Arrays) -> dict[str, tuple[tuple[int, ...], str]]:
    """Shape and type of every array, given the sizes n, r, m and q that the file has."""
    count = found["dual"].size
    landmarks, rank = found["landmarks"].shape if found["landmarks"].ndim == 2 else (0, 0)
    features = found["centre"].size
    return {
        "version": ((), "i8"),
        "intercept": ((), "f8"),
        "photo_ids": ((count,), "i8"),
        "ratings": ((count,), "f4"),
        "vectors": ((count, DIMENSIONS), "f2"),
        "dual": ((count,), "f4"),
        "out_of_fold": ((count,), "f4"),
        "mean": ((DIMENSIONS,), "f4"),
        "projection": ((DIMENSIONS, rank), "f4"),
        "landmarks": ((landmarks, rank), "f4"),
        "metric": ((landmarks, features), "f4"),
        "centre": ((features,), "f4"),
    }
