"""What every decoder hands on, and how it becomes the JPEGs that pages show."""

import base64
import io
from dataclasses import dataclass

import cv2
import numpy as np
import pyvips  # type: ignore[import-untyped]  # ships none
from numpy.typing import NDArray
from PIL import Image

from workers.engines.colour import Profile, srgb_profile, to_srgb

Pixels = NDArray[np.uint8]  # shape (height, width) grey or (height, width, 3) red, green, blue

PREVIEW_EDGE, THUMBNAIL_EDGE, PLACEHOLDER_EDGE = 1440, 400, 16
PREVIEW_QUALITY, THUMBNAIL_QUALITY, PLACEHOLDER_QUALITY = 82, 78, 40


# Half the colour resolution shows on red against dark, and costs more of the fidelity than quality 82 does.
FULL_COLOUR, HALF_COLOUR = "4:4:4", "4:2:0"


@dataclass(frozen=True)
class Decoded:
    """The pixels of a photo, not yet upright and not yet sRGB: both cost less on the small preview."""

    pixels: Pixels
    profile: Profile = None
    orientation: int = 1  # as Exif counts
    exif: bytes | None = None
    damage: str | None = None
    xmp: bytes | None = None


@dataclass(frozen=True)
class Rendered:
    """What pages show: upright, sRGB."""

    pixels: Pixels  # of the preview
    preview: bytes
    thumbnail: bytes
    placeholder: str  # base64


def luma_of(pixels: Pixels) -> Pixels:
    """Luminance of the same size: 0.299 red + 0.587 green + 0.114 blue."""
    if pixels.ndim == 2:
        return pixels
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)


def render(decoded: Decoded) -> Rendered:
    """Downsample first, then colour and orientation: 1.4 megapixels instead of 24."""
    small = to_srgb(fit(decoded.pixels, PREVIEW_EDGE), decoded.profile)
    pixels = np.ascontiguousarray(upright(small, decoded.orientation))
    thumbnail = fit(pixels, THUMBNAIL_EDGE)
    tiny = fit(thumbnail, PLACEHOLDER_EDGE)
    return Rendered(
        pixels,
        jpeg(pixels, PREVIEW_QUALITY, srgb_profile(), FULL_COLOUR),
        jpeg(thumbnail, THUMBNAIL_QUALITY, srgb_profile(), HALF_COLOUR),
        base64.b64encode(jpeg(tiny, PLACEHOLDER_QUALITY, None, HALF_COLOUR)).decode(),
    )


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Turn and mirror as Exif orientation 1-8 asks; any other number leaves the pixels as they are."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def is_sideways(orientation: int) -> bool:
    return orientation in (5, 6, 7, 8)


def fit(pixels: Pixels, edge: int) -> Pixels:
    """Downsampled to the long edge, never up. Halved by exact area first, which is nearly free, then Lanczos."""
    while max(pixels.shape[:2]) >= 4 * edge and min(pixels.shape[:2]) >= 4:
        pixels = _halved(pixels)
    if max(pixels.shape[:2]) >= 2 * edge and min(pixels.shape[:2]) >= 2:
        pixels = _halved(pixels)
    longest = max(pixels.shape[:2])
    if longest <= edge:
        return pixels
    height, width = (max(1, round(side * edge / longest)) for side in pixels.shape[:2])
    image = pyvips.Image.new_from_array(np.ascontiguousarray(pixels))
    small = image.resize(width / pixels.shape[1], vscale=height / pixels.shape[0])
    return np.asarray(small).reshape(small.height, small.width, *pixels.shape[2:])


def _halved(pixels: Pixels) -> Pixels:
    size = (pixels.shape[1] // 2, pixels.shape[0] // 2)
    even = pixels[: size[1] * 2, : size[0] * 2]  # an odd last row would make it a slow general resize
    return cv2.resize(even, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def jpeg(pixels: Pixels, quality: int, profile: bytes | None, subsampling: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, icc_profile=profile, subsampling=subsampling)
    return buffer.getvalue()
