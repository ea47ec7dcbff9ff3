"""JPEG, PNG, WebP, TIFF and AVIF through libvips, from a buffer: strict first, so that damage is noticed."""

from collections.abc import Callable

import numpy as np
import pyvips  # type: ignore[import-untyped]  # ships none

from shared.errors import CorruptFile, UnsupportedFile
from workers.domain.damage import is_blank
from workers.engines import hdr, sample_depth, tiff_tags
from workers.engines.pixels import Decoded, Pixels

CheckSize = Callable[[int, int], None]  # raises TooLarge; called before a pixel is decoded

_LOADERS = {
    "JPEG": pyvips.Image.jpegload_buffer,
    "PNG": pyvips.Image.pngload_buffer,
    "WEBP": pyvips.Image.webpload_buffer,
    "TIFF": pyvips.Image.tiffload_buffer,
    "AVIF": pyvips.Image.heifload_buffer,
}
KINDS = frozenset(_LOADERS)
# libjpeg warns of real damage only in these words; its other warnings are about unusual but whole files.
_JPEG_DAMAGE = ("premature end", "corrupt jpeg data")


_CUT_OFF = ("premature end", "not enough data", "end of file", "read error", "truncated")


class OutOfMemory(MemoryError):
    """libvips could not get the memory it needs."""


def decode(data: bytes, kind: str, check_size: CheckSize, least_edge: int | None = None) -> Decoded:
    """The pixels of a file of one of KINDS. What is broken but still shows something comes back with its damage.

    With `least_edge` a JPEG may come smaller than it is, which is quicker, but with its long edge not below that.

    Raises CorruptFile, UnsupportedFile, and what `check_size` raises.
    """
    complaint = None
    try:
        return _load(data, kind, check_size, "warning" if kind == "JPEG" else "error", None, least_edge)
    except pyvips.Error as exc:
        complaint = _words(exc)
    try:
        harmless = kind == "JPEG" and not any(sign in complaint.lower() for sign in _JPEG_DAMAGE)
        damage = None if harmless else _sentence(complaint)
        decoded = _load(data, kind, check_size, "none", damage, least_edge)
    except pyvips.Error as exc:
        refused = "not a whole number of bytes" in complaint or "nsupported" in complaint
        raise (UnsupportedFile if refused else CorruptFile)(decoder=_words(exc)) from exc
    if damage and is_blank(decoded.pixels):
        raise CorruptFile(decoder=complaint)
    return decoded


def _load(
    data: bytes, kind: str, check_size: CheckSize, fail_on: str, damage: str | None, least_edge: int | None
) -> Decoded:
    image = _LOADERS[kind](data, access="sequential", fail_on=fail_on)
    check_size(image.width, image.height)
    if least_edge and kind == "JPEG" and (shrink := _shrink(image, least_edge)) > 1:
        image = _LOADERS[kind](data, access="sequential", fail_on=fail_on, shrink=shrink)
    exif, xmp = _blob(image, "exif-data"), _blob(image, "xmp-data")
    orientation = image.get("orientation") if kind != "AVIF" and "orientation" in image.get_fields() else 1
    if kind == "AVIF" and (space := hdr.nclx(data)):
        return Decoded(*hdr.to_8_bit(image, space), 1, exif, damage, xmp)
    if kind == "TIFF":
        image = _without_channels(image, data)
    shown, profile = sample_depth.to_8_bit(image)
    return Decoded(_array(shown), profile, orientation, exif, damage, xmp)


def _shrink(image: pyvips.Image, least_edge: int) -> int:
    """By how much libjpeg can scale while it decodes."""
    return next((shrink for shrink in (8, 4, 2) if max(image.width, image.height) // shrink >= least_edge), 1)


def _without_channels(image: pyvips.Image, data: bytes) -> pyvips.Image:
    """Extra samples that are marked as neither kind of alpha are selections and spot colours, not transparency."""
    extra = next(tiff_tags.directories(data), {}).get(tiff_tags.EXTRA_SAMPLES, ())
    if not extra or extra[0] != 0 or image.bands <= len(extra):
        return image
    return image.extract_band(0, n=image.bands - len(extra))


def _array(image: pyvips.Image) -> Pixels:
    pixels = np.asarray(image)
    return pixels.reshape(pixels.shape[:2]) if image.bands == 1 else pixels


def _blob(image: pyvips.Image, field: str) -> bytes | None:
    return bytes(image.get(field)) if field in image.get_fields() else None


def _sentence(complaint: str) -> str:
    is_cut = any(sign in complaint.lower() for sign in _CUT_OFF)
    return f"{'The end of the picture is missing' if is_cut else 'The picture data is damaged'} ({complaint})."


def _words(error: pyvips.Error) -> str:
    """The decoder's own reason, in one line."""
    if "out of memory" in str(error).lower():
        raise OutOfMemory from error
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].rstrip(".").partition(": ")[2] or lines[-1] if lines else "it cannot be decoded"
