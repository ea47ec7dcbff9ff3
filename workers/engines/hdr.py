"""AVIF colour that is told by code points (nclx) instead of an ICC profile, high dynamic range included."""

import struct
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyvips  # type: ignore[import-untyped]  # ships none
from numpy.typing import NDArray

from workers.engines.colour import Pixels, Profile, conversion, encoded

HEAD_BYTES = 64 * 1024  # the properties stand before the picture data
PQ, HLG = 16, 18  # transfer characteristics of ITU-T H.273
_SPACES: dict[int, Literal["display-p3", "rec-2020"]] = {9: "rec-2020", 11: "display-p3", 12: "display-p3"}

DIFFUSE_WHITE_NITS = 203  # ITU-R BT.2408: what is white on paper; brighter is highlight
HLG_PEAK_NITS = 1_000
SHOULDER = 0.8  # linear light up to here stays; above, highlights are rolled off towards white


@dataclass(frozen=True)
class Nclx:
    space: Literal["display-p3", "rec-2020"] | None  # None is sRGB
    transfer: int


def nclx(data: bytes) -> Nclx | None:
    """The colour of the file, where it is not plain sRGB."""
    at = data.find(b"colrnclx", 0, HEAD_BYTES)
    if at < 0 or at + 14 > len(data) or data.find(b"colrprof", 0, HEAD_BYTES) >= 0:
        return None
    primaries, transfer = struct.unpack_from(">HH", data, at + 8)
    space = _SPACES.get(primaries)
    return Nclx(space, transfer) if space or transfer in (PQ, HLG) else None


def to_8_bit(image: pyvips.Image, colour: Nclx) -> tuple[Pixels, Profile]:
    """8-bit pixels of the full size, and the space they are in."""
    samples = np.asarray(image)[..., :3] if image.bands >= 3 else np.repeat(np.asarray(image)[..., :1], 3, axis=2)
    if colour.transfer not in (PQ, HLG):
        return (samples if samples.dtype == np.uint8 else (samples >> 8)).astype(np.uint8), colour.space
    full_scale = 255 if samples.dtype == np.uint8 else 65_535
    curve = _light_of(np.arange(full_scale + 1) / full_scale, colour.transfer).astype(np.float32)
    matrix = conversion(colour.space or "srgb").T
    rows = [_tone_mapped(curve[band] @ matrix) for band in np.array_split(samples, max(1, len(samples) // 256))]
    return np.concatenate(rows), None


def _light_of(level: NDArray[np.float64], transfer: int) -> NDArray[np.float64]:
    """Linear light, 1 = diffuse white: SMPTE ST 2084, or ARIB STD-B67 for a display of HLG_PEAK_NITS."""
    if transfer == HLG:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = np.where(level <= 0.5, level**2 / 3, (np.exp((level - c) / a) + b) / 12)
        return scene**1.2 * HLG_PEAK_NITS / DIFFUSE_WHITE_NITS
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    power = level ** (1 / m2)
    return (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1) * 10_000 / DIFFUSE_WHITE_NITS


def _tone_mapped(linear: NDArray[np.float32]) -> Pixels:
    """Highlights above SHOULDER rolled off by the brightest channel, so that colours keep their hue."""
    peak = linear.max(axis=2, keepdims=True)
    over = np.maximum(peak - SHOULDER, 0) / (1 - SHOULDER)
    rolled = SHOULDER + (1 - SHOULDER) * over / (1 + over)
    return encoded(np.where(peak > SHOULDER, linear * (rolled / np.maximum(peak, 1e-6)), linear))
