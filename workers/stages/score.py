"""Stage `score`: vectors become scores of 0 to 100 under one taste model."""

from shared.contracts import score
from shared.contracts.embed import DIMENSIONS
from shared.errors import Reject
from workers.engines.claimed_arrays import Arrays, BrokenNumbers, read_arrays
from workers.stage import Stage, one_by_one
from workers.tools import Tools


class OtherEmbeddingModel(Reject):
    """This taste was learned from the vectors of another embedding model."""


def handle(request: score.Request, tools: Tools) -> score.Result:
    """A micro-batch of photos. Rated photos too get a plain prediction here, which has seen their rating."""
    model = tools.taste_models.get(request.artifact)
    if model.embedding_model != request.model:
        raise OtherEmbeddingModel(
            f"Version {model.version} of the taste was learned from vectors of {model.embedding_model} and cannot judge"
            f" those of {request.model}. Train again."
        )
    arrays = read_arrays(tools.claims, request.file_path, ("photo_ids", "vectors"))
    _check(arrays)
    return score.Result(
        activation=request.activation,
        photo_ids=tuple(arrays["photo_ids"].tolist()),
        scores=tuple(model.scores(arrays["vectors"]).tolist()),
    )


def _check(arrays: Arrays) -> None:
    count = arrays["photo_ids"].size
    if arrays["photo_ids"].shape != (count,) or arrays["photo_ids"].dtype.kind not in "iu":
        raise BrokenNumbers("The photos to score are not a list of ids.")
    if arrays["vectors"].shape != (count, DIMENSIONS):
        raise BrokenNumbers(f"The {count} photos to score do not have one vector of {DIMENSIONS} numbers each.")


stage = Stage("score", score.Request, score.Result, one_by_one(handle))
