"""A RAW in more pixels than its preview: the camera's own JPEG where that is large enough, else developed, as bright
as what was seen before."""

import math
from dataclasses import dataclass

import numpy as np
import rawpy
from numpy.typing import NDArray

from shared import jpeg
from shared.errors import CorruptFile
from workers.engines import raw
from workers.engines.colour import linear_of_srgb, srgb_of_linear
from workers.engines.pixels import THUMBNAIL_EDGE, Decoded, Pixels, luma_of
from workers.engines.vips_images import CheckSize

STEPS = 14  # of the search for the exposure: a 500th of a stop
MOST_STOPS = 4.0
SAMPLED = 8  # every so many pixels in both directions tell how bright a picture is


@dataclass(frozen=True)
class Stored:
    """A JPEG inside a RAW, and how it is to be turned, as Exif counts."""

    data: bytes
    orientation: int


def picture(
    data: bytes, edge: int | None, wanted: raw.Render, seen: Pixels | None, check_size: CheckSize
) -> tuple[Stored | Decoded, raw.Source]:
    """What shows at least `edge` pixels of a RAW, or all of them. `seen` is the luminance of its preview.

    Raises UnsupportedFile, CorruptFile, MemoryError, and what `check_size` raises.
    """
    data, missing_share = raw.made_whole(data)
    with raw.opened(data) as file:
        longest = max(file.sizes.width, file.sizes.height)
        check_size(file.sizes.width, file.sizes.height)
        orientation = raw.orientation_of(file)  # before a demosaic, after which LibRaw forgets the turn
        stored, stored_edge = _stored(file, data)
        if stored and wanted == "embedded" and stored_edge >= min(edge or longest, longest - jpeg.CROPPED_PIXELS):
            return stored, "embedded"
        flaw = raw.unpack(file, data, missing_share)
        if flaw and flaw.is_total:
            if stored is None or stored_edge < THUMBNAIL_EDGE:
                raise CorruptFile(decoder=flaw.sentence)
            return stored, "embedded"
        return Decoded(_developed(file, edge, seen), orientation=orientation), "demosaic"


def light_of(luma: Pixels) -> float:
    """The mean of its light, 1 = white everywhere."""
    return float(linear_of_srgb(np.arange(256) / 255)[luma].mean())


def _stored(file: rawpy.RawPy, data: bytes) -> tuple[Stored | Decoded | None, int]:
    """The largest picture that the camera put into the file, and its long edge."""
    found = raw.camera_picture(file, data)
    if not isinstance(found, bytes):
        return found, max(found.pixels.shape) if found else 0
    try:
        width, height = jpeg.size_of(found)
    except jpeg.NotAJpeg:
        return None, 0
    orientation = raw.preview_orientation(file, jpeg.tags_of(found).orientation, width, height)
    return Stored(found, orientation), max(width, height)


def _developed(file: rawpy.RawPy, edge: int | None, seen: Pixels | None) -> Pixels:
    """Four sensor pixels become one where that still fills the edge."""
    half = edge is not None and raw.is_bayer(file) and max(file.sizes.width, file.sizes.height) >= 2 * edge
    if seen is None:
        return raw.postprocessed(file, half, None)
    linear = raw.postprocessed_linear(file, half)
    return _encoding(_exposure(linear[::SAMPLED, ::SAMPLED], light_of(seen)))[linear]


def _exposure(linear: NDArray[np.uint16], wanted: float) -> float:
    """The factor by which the light has to grow so that its mean, clipped and shown, is the wanted one."""
    low, high = -MOST_STOPS, MOST_STOPS
    for _ in range(STEPS):
        middle = (low + high) / 2
        if light_of(luma_of(_encoding(math.exp2(middle))[linear])) < wanted:
            low = middle
        else:
            high = middle
    return math.exp2((low + high) / 2)


def _encoding(exposure: float) -> Pixels:
    """A table from 16-bit light to 8-bit sRGB."""
    light = np.clip(np.arange(65_536) / 65_535 * exposure, 0, 1)
    return np.round(255 * srgb_of_linear(light)).astype(np.uint8)
