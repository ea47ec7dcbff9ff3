"""What kind of photo a file is, and the pixels of one that is no RAW."""

from dataclasses import dataclass, replace
from typing import NoReturn

from shared import signatures
from shared.errors import CorruptFile, Reject, TooLarge, UnsupportedFile
from workers.domain import damage
from workers.engines import exif, odd_bits, pillow_images, tiff_tags, vips_images
from workers.engines.pixels import Decoded
from workers.engines.vips_images import CheckSize


def kind_of(data: bytes, extension: str) -> str:
    """`JPEG`, `RAW`, ... by the first bytes. Raises UnsupportedFile."""
    kind = signatures.sniff(data[: signatures.HEAD_BYTES], extension)
    if kind is None:
        raise UnsupportedFile
    return "RAW" if kind == "TIFF" and tiff_tags.is_raw(data) else kind


def is_tiff(data: bytes) -> bool:
    """Whatever its name says."""
    return signatures.sniff(data[: signatures.HEAD_BYTES], "") == "TIFF"


def decode(data: bytes, kind: str, check_size: CheckSize, least_edge: int | None = None) -> tuple[Decoded, exif.Tags]:
    """The pixels of a file of any kind but RAW, and what its Exif says. In full, but for a JPEG with `least_edge`, see
    `vips_images.decode`.

    Raises CorruptFile, UnsupportedFile, and what `check_size` raises.
    """
    shown = _pixels(data, kind, check_size, least_edge)
    tags = exif.Tags(data if kind == "TIFF" else shown.exif)
    if shown.profile is None and tags.is_adobe_rgb:
        shown = replace(shown, profile="adobe-rgb")
    if shown.damage is None and kind not in ("TIFF", "BMP") and damage.has_zero_tail(data):
        shown = replace(shown, damage="The end of the file is overwritten with zeros.")
    return shown, tags


def reject_by_name(reject: Reject, name: str, data: bytes) -> NoReturn:
    """The default sentences say "this file"; on a page of failures the name says more."""
    if isinstance(reject, CorruptFile):
        raise CorruptFile(f"{name} is broken and shows no picture.", **reject.context) from reject
    if isinstance(reject, UnsupportedFile):
        content = signatures.describe(data[: signatures.HEAD_BYTES])
        raise UnsupportedFile(
            f"{name} is not a photograph that Keepers can read: {content}.", **reject.context
        ) from reject
    raise reject


@dataclass(frozen=True)
class SizeLimit:
    """Called with the size in the header, before a pixel is decoded."""

    name: str
    megapixels: int

    def __call__(self, width: int, height: int) -> None:
        if width < 1 or height < 1:
            raise CorruptFile
        if width * height > self.megapixels * 1e6:
            size = round(width * height / 1e6)
            raise TooLarge(f"{self.name} has {size:,} megapixels, over the limit of {self.megapixels}.")


def _pixels(data: bytes, kind: str, check_size: CheckSize, least_edge: int | None) -> Decoded:
    if kind in pillow_images.KINDS:
        return pillow_images.decode(data, kind, check_size)
    try:
        return vips_images.decode(data, kind, check_size, least_edge)
    except UnsupportedFile:
        if kind != "TIFF":
            raise
        return odd_bits.decode(data, check_size)
