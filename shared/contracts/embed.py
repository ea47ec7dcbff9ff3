"""Stage `embed`: a preview becomes a unit vector."""

import base64
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import BeforeValidator, PlainSerializer

from shared.claims import ClaimPath
from shared.contracts import Message

DIMENSIONS = 768


def _decode(value: Any) -> Any:  # Any: a validator sees whatever arrived
    vector = np.frombuffer(base64.b64decode(value), dtype="<f2") if isinstance(value, str) else value
    if not isinstance(vector, np.ndarray) or vector.shape != (DIMENSIONS,) or not np.isfinite(vector).all():
        raise ValueError(f"a vector has {DIMENSIONS} finite numbers")
    return vector.astype("<f2")


def _encode(vector: np.ndarray) -> str:
    return base64.b64encode(vector.astype("<f2").tobytes()).decode()


# float16, shape (768,), unit length; base64 of its little-endian bytes on the wire
Vector = Annotated[Any, BeforeValidator(_decode), PlainSerializer(_encode, when_used="json")]


class Request(Message):
    kind: ClassVar[str] = "embed.request"
    photo_id: int
    file_path: ClaimPath
    model: str


class Result(Message):
    kind: ClassVar[str] = "embed.result"
    photo_id: int
    model: str
    vector: Vector
