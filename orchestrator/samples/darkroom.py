"""From a shot to its pixels: crop, enlarge, defocus, expose and grain."""

from functools import cached_property

import numpy as np
from PIL import Image, ImageFilter

from orchestrator.samples.photographs import photograph
from orchestrator.samples.shots import Shot

GRAIN_SIDE_PX = 2700  # larger than any frame, so that each can take its own part
GRAIN_AT_ISO_3200 = 5.0  # standard deviation, 0-255 units


class Darkroom:
    """Keeps the grain, which is slow to make, and the last photograph, which neighbours share."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._last: tuple[str, Image.Image] | None = None

    def develop(self, shot: Shot) -> Image.Image:
        """The frame as RGB, upright."""
        return Image.fromarray(np.clip(np.rint(self.develop_exactly(shot)), 0, 255).astype(np.uint8))

    def develop_exactly(self, shot: Shot) -> np.ndarray:
        """The frame as float32 (height, width, 3), sRGB-encoded, about 0-255, with what lies between whole steps."""
        image = _enlarged(self._photograph(shot.source), shot)
        if shot.defocus_px:
            image = image.filter(ImageFilter.GaussianBlur(shot.defocus_px))
        pixels: np.ndarray = exposed(np.asarray(image, np.float32), shot.brighter_ev)
        pixels = pixels + self._grain_for(shot, image.size)[..., None]
        return pixels

    def _photograph(self, name: str) -> Image.Image:
        if self._last is None or self._last[0] != name:
            self._last = (name, photograph(name))
        return self._last[1]

    def _grain_for(self, shot: Shot, size: tuple[int, int]) -> np.ndarray:
        width, height = size
        corner = np.random.default_rng([self._seed, *shot.path.encode()])
        x, y = corner.integers(0, GRAIN_SIDE_PX - width), corner.integers(0, GRAIN_SIDE_PX - height)
        strength = np.float32(GRAIN_AT_ISO_3200 * (shot.iso / 3200) ** 0.5)
        grain: np.ndarray = self._grain[y : y + height, x : x + width] * strength
        return grain

    @cached_property
    def _grain(self) -> np.ndarray:
        return np.random.default_rng(self._seed).standard_normal((GRAIN_SIDE_PX, GRAIN_SIDE_PX), np.float32)


def exposed(pixels: np.ndarray, brighter_ev: float) -> np.ndarray:
    """sRGB-encoded 0-255 values, brighter by so many stops: the light is scaled, not the encoded values."""
    if not brighter_ev:
        return pixels
    return pixels * np.float32(2 ** (brighter_ev / 2.2))  # near enough to the sRGB curve, and much faster


def _enlarged(photo: Image.Image, shot: Shot) -> Image.Image:
    left, top, right, bottom = shot.box
    crop = (left * photo.width, top * photo.height, right * photo.width, bottom * photo.height)
    width, height = crop[2] - crop[0], crop[3] - crop[1]
    scale = shot.long_edge_px / max(width, height)
    size = (round(width * scale / 2) * 2, round(height * scale / 2) * 2)  # even, as sensors are
    enlarged = photo.resize(size, Image.Resampling.LANCZOS, box=crop)
    if scale <= 1.5:
        return enlarged
    return enlarged.filter(ImageFilter.UnsharpMask(radius=scale * 0.7, percent=110, threshold=2))
