"""What the built-in describer says: only what pixels and Exif show."""

from datetime import datetime

import numpy as np
import pytest
from numpy.typing import NDArray

from workers.domain.plain_description import Facts, describe
from workers.domain.reply import PhotoMetadata

NOTHING_KNOWN = Facts()


def plain(*colour: int, height: int = 40, width: int = 60) -> NDArray[np.uint8]:
    return np.full((height, width, 3), colour, dtype=np.uint8)


def described(pixels: NDArray[np.uint8], facts: Facts = NOTHING_KNOWN) -> PhotoMetadata:
    return describe(pixels, facts)


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ((200, 40, 40), "red"),
        ((200, 40, 60), "red"),
        ((200, 120, 40), "orange"),
        ((200, 200, 40), "yellow"),
        ((40, 160, 60), "green"),
        ((40, 90, 200), "blue"),
        ((200, 40, 180), "magenta"),
        ((120, 120, 120), "black and white"),
    ],
)
def test_colours_are_named(colour: tuple[int, int, int], name: str) -> None:
    found = described(plain(*colour))
    assert name in found.subject
    assert any(name in tag for tag in found.suggested_tags)


def test_two_colours_are_named_by_how_much_they_cover() -> None:
    pixels = plain(40, 90, 200)
    pixels[:12] = (40, 160, 60)
    assert "mostly blue and green" in described(pixels).subject


def test_a_toned_black_and_white_is_black_and_white() -> None:
    ramp = np.linspace(0, 240, 60)[None, :, None].repeat(40, 0)
    toned = (ramp + np.array([8, 4, 0])).astype(np.uint8)
    assert "in black and white" in described(toned).subject


@pytest.mark.parametrize(("level", "words"), [(20, "Low-key"), (235, "High-key"), (120, "Landscape-format")])
def test_dark_and_bright_are_told(level: int, words: str) -> None:
    assert described(plain(level, level, level)).subject.startswith(words)


def test_contrast_is_told() -> None:
    halves = plain(5, 5, 5)
    halves[:, 30:] = 250
    assert described(halves).lighting_critique.endswith("high contrast.")
    assert described(plain(90, 90, 90)).lighting_critique == "Mostly middle tones, low contrast."


@pytest.mark.parametrize(
    ("height", "width", "words"),
    [(40, 60, "landscape-format"), (60, 40, "portrait-format"), (50, 50, "square"), (20, 60, "panoramic")],
)
def test_the_shape_is_told(height: int, width: int, words: str) -> None:
    assert words in described(plain(90, 90, 90, height=height, width=width)).suggested_tags


@pytest.mark.parametrize(
    ("hour", "words"),
    [(3, "night"), (7, "early morning"), (10, "morning"), (13, "midday"), (16, "afternoon"), (20, "evening")],
)
def test_the_time_of_day_is_told(hour: int, words: str) -> None:
    found = described(plain(90, 90, 90), Facts(captured_at=datetime(2024, 5, 4, hour)))
    assert words in found.subject
    assert words in found.suggested_tags


@pytest.mark.parametrize(("millimetres", "words"), [(24.0, "wide angle"), (50.0, "normal lens"), (200.0, "telephoto")])
def test_the_focal_range_is_told(millimetres: float, words: str) -> None:
    assert f"{words} at {millimetres:g} mm" in described(plain(90, 90, 90), Facts(None, millimetres)).subject


def test_the_focal_length_of_a_telephone_says_nothing() -> None:
    assert "mm" not in described(plain(90, 90, 90), Facts(None, 4.2)).subject


def test_a_single_pixel_is_described_too() -> None:
    assert described(plain(200, 10, 10, height=1, width=1)).subject == "Low-key square photograph, mostly red"
