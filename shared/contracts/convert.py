"""Stage `convert`: an original becomes a preview, a thumbnail, measurements and EXIF."""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from shared.claims import ClaimPath
from shared.contracts import Message, Text

RECIPE = 1  # part of the key of every derived file; raise it when the pixels of a preview would change


class Request(Message):
    kind: ClassVar[str] = "convert.request"
    photo_id: int
    file_path: ClaimPath
    root: ClaimPath  # tells a vanished file from a drive that is not connected
    root_key: str  # what the run waits behind while that drive is away, `root:3`
    companion: ClaimPath | None = None  # the JPEG beside a RAW


class Exif(Message):
    """What the camera wrote. Every field may be missing; times are local to the camera."""

    kind: ClassVar[str] = "convert.exif"
    captured_at: datetime | None = None  # naive, with sub-seconds
    utc_offset_minutes: int | None = None
    camera_make: Text | None = None
    camera_model: Text | None = None
    lens: Text | None = None
    focal_length_mm: float | None = None
    aperture: float | None = None
    shutter_seconds: float | None = None
    iso: int | None = None
    exposure_bias_ev: float | None = None
    focus_distance_m: float | None = None
    has_gps: bool = False


class Quality(Message):
    """Image statistics. The raw values are kept so that the mapping to 0-100 can be retuned without re-reading."""

    kind: ClassVar[str] = "convert.quality"
    laplacian_variance: float  # whole frame, full-resolution luminance in 0-255 units
    tile_variance_p95: float  # 95th percentile over tiles
    noise_sigma: float  # estimated noise of the luminance, 0-255 units
    clipped_share: float = Field(ge=0, le=1)
    sharpness_score: float = Field(ge=0, le=100)
    exposure_score: float = Field(ge=0, le=100)
    technical_score: float = Field(ge=0, le=100)


class Result(Message):
    kind: ClassVar[str] = "convert.result"
    photo_id: int
    content_hash: str = Field(pattern=r"^[0-9a-f]{64}$")  # SHA-256 of the whole original
    quick_hash: str = Field(pattern=r"^[0-9a-f]{64}$")  # SHA-256 of size, first and last 64 KiB
    size: int
    mtime_ns: int
    companion_content_hash: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    companion_quick_hash: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    format: Text  # "JPEG", "NEF", ...
    width: int  # of the original, upright
    height: int
    preview: ClaimPath
    preview_width: int
    preview_height: int
    thumbnail: ClaimPath
    placeholder: Text  # base64 of a JPEG a few pixels wide
    source: Literal["original", "embedded", "companion", "demosaic"]
    damage: Text | None = None  # one sentence, when the photo can be seen but is broken
    perceptual_hash: str = Field(pattern=r"^[0-9a-f]{16}$")
    quality: Quality
    exif: Exif = Exif()
    rating: int | None = Field(default=None, ge=-1, le=5)  # in the file: 1-5, -1 = rejected
