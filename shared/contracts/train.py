"""Stage `train`: the person's ratings become a model of their taste."""

from typing import ClassVar

from pydantic import Field

from shared.claims import ClaimPath
from shared.contracts import Message


class Request(Message):
    """`file_path` is an .npz: `photo_ids` int64 (n,), `ratings` float32 (n,) 1 to 5, `vectors` float16 (n, 768) unit
    length, and `archive` float16 (m, 768): a random sample of the archive's vectors, rated or not."""

    kind: ClassVar[str] = "train.request"
    version: int  # assigned by the orchestrator, rising
    model: str  # the embedding model of all these vectors
    file_path: ClaimPath


class Accuracy(Message):
    """Measured on ratings that the model had not seen: out-of-fold. `interval` is the 95 % one of `pair_order`."""

    kind: ClassVar[str] = "train.accuracy"
    spearman: float = Field(ge=-1, le=1)
    r2: float = Field(le=1)
    pair_order: float = Field(ge=0, le=1)  # share of pairs with different stars that are ordered right
    interval: tuple[float, float]


class CurvePoint(Message):
    """How good the model was with `n` of the ratings."""

    kind: ClassVar[str] = "train.curve_point"
    n: int
    pair_order: float
    spearman: float


class Result(Message):
    """`artifact` is a claim of shared.taste_model; `accuracy` is None when all ratings are equal."""

    kind: ClassVar[str] = "train.result"
    version: int
    model: str
    artifact: ClaimPath
    n: int
    alpha: float
    accuracy: Accuracy | None
    curve: tuple[CurvePoint, ...] = ()
