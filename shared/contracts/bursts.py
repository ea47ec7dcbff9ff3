"""Stage `bursts`: which frames of the archive belong to one moment."""

from typing import ClassVar

from pydantic import Field

from shared.claims import ClaimPath
from shared.contracts import Message

MOST_GAP_SECONDS = 300.0
LEAST_COSINE = 0.8  # below it photos are of other things


class Request(Message):
    """`file_path` is an .npz of frames in any order: `photo_ids` int64 (n,), `captured_us` int64 (n,) microseconds of
    camera time, `cameras` int32 (n,) a number for each camera, `vectors` float16 (n, 768) unit length, and with NaN
    for unknown `sharpness`, `exposure_bias_ev` and `focus_distance_m` float32 (n,); `is_chosen` bool (n,): the person
    said that it is the best of its burst."""

    kind: ClassVar[str] = "bursts.request"
    seq: int  # of the wish that it fulfils, rising
    model: str  # the embedding model of the vectors
    file_path: ClaimPath
    gap_seconds: float = Field(ge=0, le=MOST_GAP_SECONDS)
    least_cosine: float = Field(ge=LEAST_COSINE, le=1)


class Result(Message):
    """`file_path` is an .npz: `photo_ids` int64 (m,) of the frames that are in a burst, `groups` int32 (m,) the number
    of the burst of each, from 0, and `is_bracket` bool (bursts,)."""

    kind: ClassVar[str] = "bursts.result"
    seq: int
    file_path: ClaimPath
    bursts: int
    photos: int
