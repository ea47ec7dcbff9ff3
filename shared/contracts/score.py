"""Stage `score`: vectors become scores of 0 to 100 under one taste model."""

from typing import ClassVar

from shared.claims import ClaimPath
from shared.contracts import Message


class Request(Message):
    """`file_path` is an .npz: `photo_ids` int64 (n,), `vectors` float16 (n, 768) unit length."""

    kind: ClassVar[str] = "score.request"
    activation: int  # a score applies only while this activation is in force
    model: str  # the embedding model of the vectors
    artifact: ClaimPath
    file_path: ClaimPath


class Result(Message):
    kind: ClassVar[str] = "score.result"
    activation: int
    photo_ids: tuple[int, ...]
    scores: tuple[int, ...]  # 0-100, in the order of photo_ids
