"""The built-in describer: what pixels and Exif show, in words, for as long as no vision model is there.

It knows nothing of what is depicted, and says so by saying little.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from workers.domain.reply import PhotoMetadata

VERSION = 1

_MONOCHROME_CHROMA = 6.0  # of 255: below this the 95th percentile of colourfulness is a toned black and white
_DARK, _BRIGHT = 64, 192  # luminance, 0-255
_LOW_CONTRAST, _HIGH_CONTRAST = 70, 190  # distance of the 5th and 95th percentile of luminance
_COLOURFUL = 24.0  # chroma from which a pixel has a hue
_HUES = ((15, "red"), (45, "orange"), (70, "yellow"), (165, "green"), (200, "cyan"), (255, "blue"), (290, "purple"))


@dataclass(frozen=True)
class Facts:
    """What Exif says, as far as it says it. The time is local to the camera; the focal length is the lens's own."""

    captured_at: datetime | None = None
    focal_length_mm: float | None = None


def describe(pixels: NDArray[np.uint8], facts: Facts) -> PhotoMetadata:
    """From RGB pixels, shape (height, width, 3); a few hundred pixels a side are enough."""
    luminance = pixels @ np.array([0.2126, 0.7152, 0.0722])  # Rec. 709
    tone, contrast, palette = _tone(luminance), _contrast(luminance), _palette(pixels)
    shape, lens, time = _orientation(pixels), _focal_range(facts.focal_length_mm), _time_of_day(facts.captured_at)
    is_monochrome = palette == ["black and white"]
    colours = "in black and white" if is_monochrome else f"mostly {_listed(palette)}"
    beginning = f"{tone} {shape} photograph, {colours}" if tone else f"{shape} photograph, {colours}"
    ending = "".join(f", {part}" for part in (time and f"taken {time}", lens and _lens_words(lens, facts)) if part)
    tags = [shape, *(palette if is_monochrome else [f"{colour} tones" for colour in palette]), tone, contrast, lens]
    return PhotoMetadata(
        subject=f"{beginning[0].upper()}{beginning[1:]}{ending}",
        content_type="other",
        lighting_critique=_light(tone, contrast),
        artistic_mood="",
        suggested_tags=tuple(tag for tag in [*tags, time.removeprefix("in the ").removeprefix("at ")] if tag),
    )


def _tone(luminance: NDArray[np.float64]) -> str:
    middle = float(np.median(luminance))
    return "low-key" if middle < _DARK else "high-key" if middle > _BRIGHT else ""


def _contrast(luminance: NDArray[np.float64]) -> str:
    dark, bright = np.percentile(luminance, [5, 95])
    return (
        "low contrast" if bright - dark < _LOW_CONTRAST else "high contrast" if bright - dark > _HIGH_CONTRAST else ""
    )


def _palette(pixels: NDArray[np.uint8]) -> list[str]:
    """One or two names of colours that cover most; ["black and white"] where there are none."""
    highest, lowest = pixels.max(axis=2).astype(float), pixels.min(axis=2).astype(float)
    chroma = highest - lowest
    if np.percentile(chroma, 95) < _MONOCHROME_CHROMA * 2:
        return ["black and white"]
    has_hue = chroma >= _COLOURFUL
    if has_hue.mean() < 0.05:
        return ["grey"]
    hues = _hues(pixels[has_hue].astype(float), highest[has_hue], chroma[has_hue])
    bins = np.digitize(hues, [end for end, _ in _HUES])
    shares = np.bincount(bins, minlength=len(_HUES) + 1) / hues.size
    names = [*(name for _, name in _HUES), "magenta"]
    shares[0] += np.count_nonzero(hues >= 345) / hues.size  # red lies on both ends of the circle
    shares[-1] = np.count_nonzero((hues >= 290) & (hues < 345)) / hues.size
    order = np.argsort(-shares, kind="stable")[:2]
    return [names[index] for index in order if shares[index] >= 0.2] or [names[order[0]]]


def _hues(
    pixels: NDArray[np.float64], highest: NDArray[np.float64], chroma: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Hues in degrees, of pixels with chroma; shapes (n, 3), (n,), (n,)."""
    red, green, blue = pixels.T
    sector = np.where(
        highest == red,
        (green - blue) / chroma % 6,
        np.where(highest == green, (blue - red) / chroma + 2, (red - green) / chroma + 4),
    )
    return np.asarray(sector * 60)


def _orientation(pixels: NDArray[np.uint8]) -> str:
    height, width = pixels.shape[:2]
    if width >= 2 * height:
        return "panoramic"
    if abs(width - height) <= 0.02 * max(width, height):
        return "square"
    return "landscape-format" if width > height else "portrait-format"


def _focal_range(focal_length_mm: float | None) -> str:
    """ "" below 10 mm: those are small sensors, whose lenses the number says nothing about."""
    if focal_length_mm is None or focal_length_mm < 10:
        return ""
    return "wide angle" if focal_length_mm < 35 else "normal lens" if focal_length_mm <= 70 else "telephoto"


def _lens_words(lens: str, facts: Facts) -> str:
    return f"{lens} at {round(facts.focal_length_mm or 0)} mm"


def _time_of_day(captured_at: datetime | None) -> str:
    if captured_at is None:
        return ""
    for end, words in ((5, "at night"), (9, "in the early morning"), (12, "in the morning"), (14, "at midday")):
        if captured_at.hour < end:
            return words
    return "in the afternoon" if captured_at.hour < 18 else "in the evening" if captured_at.hour < 22 else "at night"


def _light(tone: str, contrast: str) -> str:
    brightness = {"low-key": "Mostly dark tones", "high-key": "Mostly bright tones"}.get(tone, "Mostly middle tones")
    return f"{brightness}, {contrast or 'medium contrast'}."


def _listed(names: list[str]) -> str:
    return " and ".join(names)
