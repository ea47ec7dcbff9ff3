"""Photographs made for tests: a scene with structure, written as any kind of file."""

import io
import struct

import cv2
import numpy as np
from numpy.typing import NDArray
from pidng.core import RAW2DNG, DNGTags, Tag
from pidng.defs import CalibrationIlluminant, CFAPattern, DNGVersion, Orientation, PhotometricInterpretation
from PIL import Image

Rgb = NDArray[np.uint8]

_XYZ_TO_SRGB = [32405, -15371, -4985, -9693, 18760, 416, 556, -2040, 10572]
_BALANCE = (0.5, 1.0, 0.65)  # what a sensor sees of white in daylight


def scene(width: int = 300, height: int = 200, seed: int = 1) -> Rgb:
    """Soft colours with fine detail on top, red in the upper left corner: no mirror or turn looks like another."""
    random = np.random.default_rng(seed)
    soft = cv2.resize(
        random.uniform(60, 190, (4, 6, 3)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    fine = cv2.resize(random.normal(0, 18, (height // 2 + 1, width // 2 + 1)).astype(np.float32), (width, height))
    pixels = soft + fine[:, :, None]
    pixels[: height // 4, : width // 4] = (220, 30, 30)
    return np.clip(pixels, 4, 251).astype(np.uint8)


def saved(pixels: NDArray[np.generic] | Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif_block(
    main: dict[int, object], exif: dict[int, object] | None = None, gps: dict[int, object] | None = None
) -> bytes:
    block = Image.Exif()
    for tag, value in main.items():
        block[tag] = value
    block.get_ifd(0x8769).update(exif or {})
    if gps:
        block.get_ifd(0x8825).update(gps)
    return block.tobytes()


def dng(pixels: Rgb, orientation: int = Orientation.Horizontal) -> bytes:
    """A 16-bit Bayer DNG of the scene, as a camera without noise would have seen it."""
    height, width = pixels.shape[:2]
    light = np.where(pixels / 255 <= 0.04045, pixels / 255 / 12.92, ((pixels / 255 + 0.055) / 1.055) ** 2.4)
    mosaic = np.zeros((height, width))
    for row, column, color in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        mosaic[row::2, column::2] = light[row::2, column::2, color] * _BALANCE[color]
    tags = DNGTags()
    for tag, value in {
        Tag.ImageWidth: width,
        Tag.ImageLength: height,
        Tag.TileWidth: width,
        Tag.TileLength: height,
        Tag.Orientation: orientation,
        Tag.PhotometricInterpretation: PhotometricInterpretation.Color_Filter_Array,
        Tag.SamplesPerPixel: 1,
        Tag.BitsPerSample: [16],
        Tag.CFARepeatPatternDim: [2, 2],
        Tag.CFAPattern: CFAPattern.RGGB,
        Tag.BlackLevel: 512,
        Tag.WhiteLevel: 16_383,
        Tag.ColorMatrix1: [[number, 10_000] for number in _XYZ_TO_SRGB],
        Tag.CalibrationIlluminant1: CalibrationIlluminant.D65,
        Tag.AsShotNeutral: [[round(share * 1_000), 1_000] for share in _BALANCE],
        Tag.Make: "Keepers",
        Tag.Model: "Sample",
        Tag.DNGVersion: DNGVersion.V1_4,
        Tag.DNGBackwardVersion: DNGVersion.V1_2,
    }.items():
        tags.set(tag, value)
    writer = RAW2DNG()
    writer.options(tags, path="", compress=False)
    return bytes(writer.convert((mosaic * 0.8 * 15_000 + 512).astype(np.uint16)))


def with_preview(raw: bytes, jpeg: bytes) -> bytes:
    """The DNG with a JPEG as a further picture behind it, as cameras store their own rendering."""
    first = struct.unpack_from("<I", raw, 4)[0]
    count = struct.unpack_from("<H", raw, first)[0]
    following = first + 2 + 12 * count
    directory_at = len(raw) + len(raw) % 2
    jpeg_at = directory_at + 2 + 12 * 10 + 4
    height, width = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape[:2]
    entries = [
        (254, 4, 1, 1),  # NewSubfileType: a reduced picture
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, 8),
        (259, 3, 1, 7),  # JPEG
        (262, 3, 1, 6),  # YCbCr
        (273, 4, 1, jpeg_at),
        (277, 3, 1, 3),
        (278, 4, 1, height),
        (279, 4, 1, len(jpeg)),
    ]
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    body = bytearray(raw.ljust(directory_at, b"\0") + directory + jpeg)
    struct.pack_into("<I", body, following, directory_at)
    return bytes(body)
