"""Any colour space to sRGB, on 8-bit pixels of preview size."""

import io
import struct
from functools import cache
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

Pixels = NDArray[np.uint8]
# An ICC profile, the name of a space that a file only hints at, or None: sRGB or unknown, which is shown as sRGB
Profile = bytes | Literal["adobe-rgb", "display-p3", "rec-2020"] | None

# Linear RGB to linear sRGB, from the primaries of each space and its D65 white (computed as in SMPTE RP 177)
_PRIMARIES = {
    "srgb": ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    "adobe-rgb": ((0.640, 0.330), (0.210, 0.710), (0.150, 0.060)),
    "display-p3": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    "rec-2020": ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
}
_D65 = (0.3127, 0.3290)
ADOBE_GAMMA = 563 / 256


@cache
def srgb_profile() -> bytes:
    """The sRGB profile that every derived JPEG carries; the same bytes every time, so without its date."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    return bytes(profile)


def to_srgb(pixels: Pixels, profile: Profile) -> Pixels:
    """RGB of the same size, shape (height, width, 3). A profile that is broken or does not fit is left aside."""
    if isinstance(profile, bytes):
        return _by_icc(pixels, profile)
    rgb = cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB) if pixels.ndim == 2 else pixels
    if profile is None:
        return rgb.astype(np.uint8, copy=False)
    linear = _decoding(profile)[rgb]
    return encoded(linear @ conversion(profile).T)


def is_srgb(profile: bytes) -> bool:
    """Whether this ICC profile is sRGB, under whatever version."""
    try:
        return _icc_transform(profile, "RGB") is None
    except (ImageCms.PyCMSError, OSError, ValueError):
        return False


def encoded(linear: NDArray[np.float32]) -> Pixels:
    """Linear light, 1 = white, to 8-bit sRGB; what lies outside is clipped."""
    steps = (np.clip(linear, 0, 1) * 4095 + 0.5).astype(np.uint16)
    return _encoding()[steps]


@cache
def conversion(space: str) -> NDArray[np.float32]:
    """The matrix from linear `space` to linear sRGB."""
    return (np.linalg.inv(_to_xyz("srgb")) @ _to_xyz(space)).astype(np.float32)


def _by_icc(pixels: Pixels, profile: bytes) -> Pixels:
    mode = "L" if pixels.ndim == 2 else "RGB"
    try:
        transform = _icc_transform(profile, mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return to_srgb(pixels, None)
    if transform is None:
        return to_srgb(pixels, None)
    return np.asarray(ImageCms.applyTransform(Image.fromarray(pixels), transform))


@cache
def _icc_transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """None when the profile is sRGB already."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    if mode == "RGB" and "srgb" in (source.profile.profile_description or "").lower():
        return None
    target = ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile()))
    return ImageCms.buildTransform(source, target, mode, "RGB", ImageCms.Intent.PERCEPTUAL)


@cache
def _decoding(space: str) -> NDArray[np.float32]:
    level = np.arange(256) / 255
    return (level**ADOBE_GAMMA if space == "adobe-rgb" else linear_of_srgb(level)).astype(np.float32)


def linear_of_srgb(level: NDArray[np.float64]) -> NDArray[np.float64]:
    """Display-encoded 0-1 to linear light 0-1."""
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)


def srgb_of_linear(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear light 0-1 to display-encoded 0-1."""
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * np.power(np.maximum(light, 0), 1 / 2.4) - 0.055)


@cache
def _encoding() -> Pixels:
    return np.round(255 * srgb_of_linear(np.arange(4096) / 4095)).astype(np.uint8)


def _to_xyz(space: str) -> NDArray[np.float64]:
    columns = np.array([_xyz(*point) for point in _PRIMARIES[space]]).T
    return columns * np.linalg.solve(columns, np.array(_xyz(*_D65)))


def _xyz(x: float, y: float) -> tuple[float, float, float]:
    return x / y, 1.0, (1 - x - y) / y
