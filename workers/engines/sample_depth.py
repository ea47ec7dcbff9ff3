"""Any sample type and photometric kind that libvips reads, brought to 8-bit grey or RGB for looking at."""

import pyvips  # type: ignore[import-untyped]  # ships none

from workers.engines.colour import Profile

PAPER_WHITE = 255  # transparent parts are shown as on white paper, as browsers and prints do
FULL_SCALE = {"ushort": 65_535, "uint": 4_294_967_295, "short": 65_535, "int": 4_294_967_295}
OFFSETS = {"short": 32_768, "int": 2_147_483_648}
LEAST_USED_SHARE = 1 / 16  # 12-bit data in a 16-bit container would look black: it is stretched

_COLORIMETRIC = ("xyz", "lab", "labs", "labq", "lch", "yxy")
_CMYK = "cmyk"


def to_8_bit(image: pyvips.Image) -> tuple[pyvips.Image, Profile]:
    """The image as uchar with 1 or 3 bands, and the ICC profile that its numbers are still in."""
    profile = bytes(image.get("icc-profile-data")) if "icc-profile-data" in image.get_fields() else None
    if image.interpretation == _CMYK:
        return _from_cmyk(image, profile is not None and profile[16:20] == b"CMYK"), None
    if image.interpretation in _COLORIMETRIC:
        return image.colourspace("srgb"), None
    bands = _colour_bands(image)
    if image.format == "uchar" and image.bands == bands:  # most files: nothing to do
        return image, _fitting(profile, bands)
    return _on_paper(_rescaled(image), bands), _fitting(profile, bands)


def _from_cmyk(image: pyvips.Image, has_profile: bool) -> pyvips.Image:
    """Through the file's profile. Without one, or with a broken one, by the plain formula, as browsers do."""
    if image.bands > 4:
        image = image.extract_band(0, n=4)
    if has_profile:
        try:
            return image.icc_transform("srgb", embedded=True, intent="perceptual", depth=8).copy_memory()
        except pyvips.Error:
            return _without_profile(image)
    return _without_profile(image)


def _without_profile(image: pyvips.Image) -> pyvips.Image:
    full = FULL_SCALE.get(image.format, 255)
    image = image.copy_memory()
    paper, light = full - image.extract_band(0, n=3), full - image.extract_band(3)
    return (paper * light * (255 / full**2) + 0.5).cast("uchar")


def _colour_bands(image: pyvips.Image) -> int:
    return 1 if image.bands < 3 else 3


def _fitting(profile: bytes | None, bands: int) -> bytes | None:
    """The profile, when it is for grey or RGB as the pixels are."""
    spaces = {1: b"GRAY", 3: b"RGB "}
    return profile if profile and profile[16:20] == spaces[bands] else None


def _rescaled(image: pyvips.Image) -> pyvips.Image:
    """Samples of any type to uchar, all bands alike."""
    if image.format == "uchar":
        return image
    if image.format == "char":  # pictures so marked hold unsigned samples all the same; others show them so too
        return image.copy(format="uchar")
    if image.format in ("float", "double", "complex", "dpcomplex"):
        return _from_float(image)
    if image.format == "ushort":
        image = image.copy_memory()
        brightest, darkest = image.max(), image.min()
        if brightest > FULL_SCALE["ushort"] * LEAST_USED_SHARE or brightest == darkest:
            return (image >> 8).cast("uchar")
        return _stretched(image, darkest, brightest)
    return _from_wide(image.copy_memory())


def _from_wide(image: pyvips.Image) -> pyvips.Image:
    """Signed and 32-bit samples: their full scale, unless only a sliver of it is used."""
    offset, scale = OFFSETS.get(image.format, 0), FULL_SCALE[image.format]
    darkest, brightest = image.min(), image.max()
    if 0 < brightest - darkest < scale * LEAST_USED_SHARE * 4:
        return _stretched(image, darkest, brightest)
    return ((image + offset) * (255 / scale) + 0.5).cast("uchar")


def _from_float(image: pyvips.Image) -> pyvips.Image:
    """Floats up to 1 are display-encoded, as programs without a profile write them; brighter ones are linear light.

    Samples that are no number become black.
    """
    image = image.copy_memory()
    is_number = image.relational(image, "equal")
    image = is_number.ifthenelse(image, 0).copy_memory()
    brightest = image.max()
    if brightest <= 1.001:
        return (image * 255 + 0.5).cast("uchar")
    if brightest <= 255 and image.interpretation not in ("scrgb",):
        return (image + 0.5).cast("uchar")
    white = image.percent(99) if image.bands == 1 else image.extract_band(1).percent(99)
    return ((image / max(float(white), 1e-9)).cast("float").clamp() ** (1 / 2.2) * 255 + 0.5).cast("uchar")


def _stretched(image: pyvips.Image, darkest: float, brightest: float) -> pyvips.Image:
    return ((image - darkest) * (255 / (brightest - darkest)) + 0.5).cast("uchar")


def _on_paper(image: pyvips.Image, bands: int) -> pyvips.Image:
    """Without alpha and other extra bands."""
    if image.bands == bands:
        return image
    if image.hasalpha():
        image = image.extract_band(0, n=bands).bandjoin(image.extract_band(bands))
        return image.flatten(background=[PAPER_WHITE] * bands).cast("uchar")
    return image.extract_band(0, n=bands)
