"""HEIC, JPEG XL and BMP through Pillow and its plug-ins: what the libvips wheel cannot decode."""

import io

import numpy as np
import pillow_heif
from PIL import Image, UnidentifiedImageError

from shared.errors import CorruptFile, UnsupportedFile
from workers.engines import jxl_header
from workers.engines.pixels import Decoded, Pixels
from workers.engines.vips_images import CheckSize

KINDS = frozenset({"HEIF", "JXL", "BMP"})
PAPER_WHITE = (255, 255, 255)

Image.MAX_IMAGE_PIXELS = None  # `check_size` judges, with a sentence and the limit of the settings


def decode(data: bytes, kind: str, check_size: CheckSize) -> Decoded:
    """The pixels of a file of one of KINDS. Raises CorruptFile, UnsupportedFile, and what `check_size` raises."""
    try:
        return _DECODERS[kind](data, check_size)
    except UnidentifiedImageError as exc:
        raise UnsupportedFile(decoder=str(exc)) from exc
    except (OSError, ValueError, SyntaxError, EOFError, RuntimeError, IndexError) as exc:
        raise CorruptFile(decoder=str(exc)) from exc


def _decode_heif(data: bytes, check_size: CheckSize) -> Decoded:
    """Rotation is part of the container and done by libheif; Exif orientation must be left aside."""
    image = pillow_heif.open_heif(data, convert_hdr_to_8bit=True)
    check_size(*image.size)
    shown = Image.frombuffer(image.mode, image.size, bytes(image.data), "raw", image.mode, image.stride)
    return Decoded(
        _on_paper(shown), image.info.get("icc_profile"), 1, image.info.get("exif"), xmp=image.info.get("xmp")
    )


def _decode_jxl(data: bytes, check_size: CheckSize) -> Decoded:
    """The plug-in decodes on opening, so the size is read here first; it turns the picture upright itself."""
    import pillow_jxl
    from pillow_jxl import JpegXLImagePlugin

    assert pillow_jxl.__name__  # imported for the format that it registers
    JpegXLImagePlugin.DECODE_THREADS = 0
    if size := jxl_header.size(data):
        check_size(*size)
    with Image.open(io.BytesIO(data), formats=["JXL"]) as image:
        image.load()
        xmp = image.info.get("xmp") or jxl_header.xmp(data)
        return Decoded(_on_paper(image), image.info.get("icc_profile"), 1, image.info.get("exif"), xmp=xmp)


def _decode_bmp(data: bytes, check_size: CheckSize) -> Decoded:
    with Image.open(io.BytesIO(data), formats=["BMP"]) as image:
        check_size(*image.size)
        try:
            image.load()
        except OSError as exc:
            return _rest_of_bmp(data, str(exc))
        return Decoded(_on_paper(image))


def _rest_of_bmp(data: bytes, complaint: str) -> Decoded:
    """What a cut-off BMP still shows: the missing rows are black."""
    with Image.open(io.BytesIO(data + bytes(4 * len(data))), formats=["BMP"]) as image:
        image.load()
        pixels = _on_paper(image)
    if pixels.min() == pixels.max():
        raise CorruptFile(decoder=complaint)
    return Decoded(pixels, damage=f"The file is damaged: {complaint}.")


def _on_paper(image: Image.Image) -> Pixels:
    """Grey or RGB, transparent parts on white."""
    if image.mode in ("L", "RGB"):
        return np.asarray(image)
    if image.mode in ("1", "F") or image.mode.startswith("I"):
        return _grey(image)
    if "A" in image.mode or "transparency" in image.info:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, PAPER_WHITE)
        image = Image.alpha_composite(paper, image)
    return np.asarray(image.convert("RGB"))


def _grey(image: Image.Image) -> Pixels:
    if image.mode == "1":
        return np.asarray(image.convert("L"))
    samples = np.nan_to_num(np.asarray(image, dtype=np.float64))
    scale = 1.0 if image.mode == "F" else 65_535.0
    return np.round(np.clip(samples / scale, 0, 1) * 255).astype(np.uint8)


_DECODERS = {"HEIF": _decode_heif, "JXL": _decode_jxl, "BMP": _decode_bmp}
