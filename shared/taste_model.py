"""A learned taste as the train stage writes it and the score stage and the pages read it: a file without pickle.

The model is a ridge on vectors, kept in its dual form: every rated photo has a weight, and a prediction is the
intercept plus one pull of each rated photo.
"""

import io
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.contracts.embed import DIMENSIONS
from shared.errors import Reject

FORMAT = 1  # of the file; a reader refuses any other
MEMBERS = ("photo_ids", "ratings", "vectors", "mean", "metric", "dual", "intercept", "out_of_fold")

Floats = NDArray[np.float32]


class TasteModelBroken(Reject):
    """The file of this taste model is missing or broken."""


def score_of(stars: NDArray[Any]) -> NDArray[np.int64]:  # Any: any float type
    """Predicted stars, of any shape, as scores: 1 star and less is 0, 5 and more is 100. No NaN."""
    return np.clip(np.round((np.asarray(stars, dtype=np.float64) - 1) * 25), 0, 100).astype(np.int64)


@dataclass(frozen=True, eq=False)
class TasteModel:
    """One version of a person's taste, learned from n rated photos; n is at least 1.

    A vector x has features (x - mean) @ metric. The prediction is
    intercept + sum over rated photos i of dual[i] * (features of x . features of vectors[i]).
    """

    version: int
    embedding_model: str  # of every vector it can judge
    photo_ids: NDArray[np.int64]  # (n,)
    ratings: Floats  # (n,), 1 to 5
    vectors: NDArray[np.float16]  # (n, 768), unit length
    mean: Floats  # (768,)
    metric: Floats  # (768, r)
    dual: Floats  # (n,)
    intercept: float  # stars
    out_of_fold: Floats  # (n,), stars that a model gave which had not seen this photo's rating

    def predict(self, vectors: NDArray[Any]) -> Floats:  # Any: any float type
        """Stars of m photos, (m, 768) to (m,). Not clipped: a prediction can pass 5."""
        return ((_rows(vectors) - self.mean) @ self._weights + self.intercept).astype(np.float32)

    def scores(self, vectors: NDArray[Any]) -> NDArray[np.int64]:  # Any: any float type
        """0 to 100 of m photos, (m, 768) to (m,)."""
        return score_of(self.predict(vectors))

    def pulls(self, vector: NDArray[Any]) -> Floats:  # Any: any float type
        """What each rated photo adds to the prediction of one photo, (768,) to (n,), in stars.

        intercept + sum(pulls) is the prediction, but for rounding.
        """
        direction = self.metric @ ((np.asarray(vector, dtype=np.float64) - self.mean) @ self.metric)
        return (self.dual * self._centred_dot(direction)).astype(np.float32)

    def out_of_fold_scores(self) -> NDArray[np.int64]:
        """Scores of the rated photos themselves, in the order of `photo_ids`."""
        return score_of(self.out_of_fold)

    @cached_property
    def _weights(self) -> Floats:
        """The same model in its primal form, (768,): scoring costs the same for 20 ratings and for 14,000."""
        dual = self.dual.astype(np.float64)
        total = dual @ self.vectors.astype(np.float32) - dual.sum() * self.mean
        return np.asarray(self.metric @ (total @ self.metric), dtype=np.float32)

    def _centred_dot(self, direction: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self.vectors.astype(np.float32) @ direction - self.mean @ direction)

    def to_bytes(self) -> bytes:
        """The file. Equal models give equal bytes."""
        file = io.BytesIO()
        members = {name: np.asarray(getattr(self, name)) for name in MEMBERS}
        np.savez(
            file,
            allow_pickle=False,
            format=np.int64(FORMAT),
            version=np.int64(self.version),
            embedding_model=np.array(self.embedding_model),
            **members,
        )
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> "TasteModel":
        """The model of a file. Raises TasteModelBroken for anything that `to_bytes` has not written."""
        found = _load(data)
        _check(found)
        scalars: dict[str, Any] = {  # Any: one of int, str, float each
            "version": int(found["version"]),
            "embedding_model": str(found["embedding_model"]),
            "intercept": float(found["intercept"]),
        }
        return cls(**(found | scalars))


def _load(data: bytes) -> dict[str, NDArray[Any]]:  # Any: what the file holds
    names = ("format", *(field.name for field in fields(TasteModel)))
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            return {name: file[name] for name in names}
    except Exception as exc:  # numpy, zipfile and tokenize raise an open set for what is cut short or is something else
        raise TasteModelBroken("The file of this taste model is broken or cut short.", cause=str(exc)) from exc


def _check(found: dict[str, NDArray[Any]]) -> None:  # Any: what the file holds
    if found.pop("format").tolist() != FORMAT:
        raise TasteModelBroken("This taste model was written by another version of Keepers.")
    count = len(np.atleast_1d(found["photo_ids"]))
    rank = found["metric"].shape[-1] if found["metric"].ndim else 0
    expected: dict[str, tuple[tuple[int, ...], str]] = {
        "version": ((), "i8"),
        "photo_ids": ((count,), "i8"),
        "ratings": ((count,), "f4"),
        "vectors": ((count, DIMENSIONS), "f2"),
        "mean": ((DIMENSIONS,), "f4"),
        "metric": ((DIMENSIONS, rank), "f4"),
        "dual": ((count,), "f4"),
        "intercept": ((), "f8"),
        "out_of_fold": ((count,), "f4"),
    }
    for name, (shape, kind) in expected.items():
        array = found[name]
        if array.shape != shape or array.dtype != np.dtype(kind) or not np.isfinite(array).all():
            raise TasteModelBroken(f"The file of this taste model is broken: {name} is not what it should be.")
    if count == 0 or found["embedding_model"].shape != () or found["embedding_model"].dtype.kind != "U":
        raise TasteModelBroken("The file of this taste model is broken: it names no photos or no embedding model.")


def _rows(vectors: NDArray[Any]) -> Floats:  # Any: any float type
    return np.asarray(vectors, dtype=np.float32).reshape(-1, DIMENSIONS)
