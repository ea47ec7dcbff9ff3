"""Stage `render`: a photo in more pixels than its preview has, to look at closely or to give away."""

from typing import ClassVar, Literal

from pydantic import Field

from shared.claims import ClaimPath
from shared.contracts import Message

RECIPE = 1  # part of the key of every rendition; raise it when its pixels would change

Size = Literal["view", "dense", "full"]
EDGES: dict[Size, int | None] = {"view": 2560, "dense": 3840, "full": None}  # longest, in pixels; None: all there are


class Request(Message):
    kind: ClassVar[str] = "render.request"
    photo_id: int
    file_path: ClaimPath
    root: ClaimPath  # tells a vanished file from a drive that is not connected
    root_key: str  # what the run waits behind while that drive is away, `root:3`
    companion: ClaimPath | None = None  # the JPEG beside a RAW
    size: Size
    long_edge: int | None = None  # of the original, in pixels
    preview: ClaimPath  # what was seen before: a RAW is developed as bright as that


class Result(Message):
    kind: ClassVar[str] = "render.result"
    photo_id: int
    size: Size
    rendition: ClaimPath
    width: int = Field(ge=1)  # as shown, upright
    height: int = Field(ge=1)
    bytes: int = Field(ge=1)
    source: Literal["original", "embedded", "companion", "demosaic"]
