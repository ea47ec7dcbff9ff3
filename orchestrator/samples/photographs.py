"""The real photographs that the samples are made from. None is downloaded; backgrounds are used where installed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image
from sklearn.datasets import load_sample_image

BACKGROUNDS = Path("/usr/share/backgrounds/mate/nature")  # Debian's package mate-backgrounds

# Those photographs that come inside the scikit-image and scikit-learn packages; never charts, text or microscopy.
SHIPPED: dict[str, Callable[[], np.ndarray]] = {
    "astronaut": skimage.data.astronaut,
    "brick": skimage.data.brick,
    "cameraman": skimage.data.camera,
    "cat": skimage.data.chelsea,
    "coffee": skimage.data.coffee,
    "galaxies": skimage.data.hubble_deep_field,
    "grass": skimage.data.grass,
    "gravel": skimage.data.gravel,
    "motorcycle": lambda: _motorcycle(0),
    "motorcycle from the right": lambda: _motorcycle(1),
    "rocket": skimage.data.rocket,
    "palace": lambda: load_sample_image("china.jpg"),
    "dahlia": lambda: load_sample_image("flower.jpg"),
}

CREDITS = {
    "astronaut": "NASA, public domain (scikit-image)",
    "galaxies": "NASA, ESA and the Hubble team, public domain (scikit-image)",
    "rocket": "SpaceX, CC0 (scikit-image)",
    "cat": "Stéfan van der Walt, CC0 (scikit-image)",
    "coffee": "Pikolo Espresso Bar, Rachel Michetti, CC0 (scikit-image)",
    "motorcycle": "Scharstein et al., Middlebury stereo benchmark 2014 (scikit-image)",
    "cameraman": "Lav Varshney, CC0 (scikit-image)",
    "brick, grass, gravel": "CC0Textures, CC0 (scikit-image)",
    "palace": "danielbuechele, CC BY 2.0 (scikit-learn)",
    "dahlia": "vultilion, CC BY 2.0 (scikit-learn)",
    "all others": "MATE backgrounds, GPL-2+, authors in /usr/share/doc/mate-backgrounds",
}


def photograph(name: str) -> Image.Image:
    """An RGB image by its name in SHIPPED, or by its file name among the backgrounds."""
    if name in SHIPPED:
        return Image.fromarray(SHIPPED[name]()).convert("RGB")
    with Image.open(BACKGROUNDS / name) as image:
        return image.convert("RGB")


def _motorcycle(eye: int) -> np.ndarray:
    pair: tuple[np.ndarray, ...] = skimage.data.stereo_motorcycle()  # type: ignore[no-untyped-call]  # not annotated
    return pair[eye]


def has_backgrounds() -> bool:
    """Whether the backgrounds that the shots name are installed."""
    return (BACKGROUNDS / "Dune.jpg").is_file()


def credits_text() -> str:
    """What the file beside the samples says."""
    lines = [f"  {name}: {credit}" for name, credit in CREDITS.items()]
    return "\n".join(
        [
            "Sample photographs for Keepers: crops of real photographs. Dates, cameras and exposures are made up.",
            "",
            *lines,
            "",
        ]
    )
