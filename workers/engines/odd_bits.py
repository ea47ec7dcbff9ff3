"""Uncompressed TIFFs whose samples are not whole bytes (3, 5, 6, 12, 14 bits ...), which libvips refuses."""

import numpy as np

from shared.errors import CorruptFile, UnsupportedFile
from workers.engines import tiff_tags
from workers.engines.pixels import Decoded, Pixels
from workers.engines.sample_depth import LEAST_USED_SHARE
from workers.engines.vips_images import CheckSize

UNCOMPRESSED, DIFFERENCING = 1, 2
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = 0, 1, 2


def decode(data: bytes, check_size: CheckSize) -> Decoded:
    """Grey or RGB pixels of the first picture.

    Raises UnsupportedFile for every other kind, CorruptFile when data is missing.
    """
    tags = next(tiff_tags.directories(data), {})
    bits = tags.get(tiff_tags.BITS, (1,))
    photometric = tags.get(tiff_tags.PHOTOMETRIC, (BLACK_IS_ZERO,))[0]
    samples = tags.get(tiff_tags.SAMPLES, (1,))[0]
    is_plain = tags.get(tiff_tags.COMPRESSION, (UNCOMPRESSED,))[0] == UNCOMPRESSED and tiff_tags.STRIP_OFFSETS in tags
    if not is_plain or photometric > RGB or samples not in (1, 3) or len(set(bits)) > 1 or not 1 <= bits[0] <= 16:
        raise UnsupportedFile
    width, height = tags[tiff_tags.WIDTH][0], tags[tiff_tags.HEIGHT][0]
    check_size(width, height)
    strips = zip(tags[tiff_tags.STRIP_OFFSETS], tags[tiff_tags.STRIP_COUNTS], strict=False)
    packed = b"".join(data[at : at + count] for at, count in strips)
    values = _unpacked(packed, width, height, samples, bits[0])
    if tags.get(tiff_tags.PREDICTOR, (1,))[0] == DIFFERENCING:
        values = np.cumsum(values, axis=1, dtype=np.uint32) % (1 << bits[0])
    return Decoded(_shown(values, _scale(values, bits[0]), photometric))


def _unpacked(packed: bytes, width: int, height: int, samples: int, bits: int) -> np.ndarray:
    """Samples of shape (height, width, samples); each row starts on a whole byte, most significant bit first."""
    row_bytes = (width * samples * bits + 7) // 8
    if len(packed) < row_bytes * height:
        raise CorruptFile
    rows = np.frombuffer(packed, np.uint8, row_bytes * height).reshape(height, row_bytes)
    planes = np.unpackbits(rows, axis=1)[:, : width * samples * bits].reshape(height, width, samples, bits)
    return planes @ (1 << np.arange(bits, dtype=np.uint32)[::-1])


def _scale(values: np.ndarray, bits: int) -> int:
    """The value that is white: the highest there can be, unless the picture would be black by it."""
    full, brightest = (1 << bits) - 1, int(values.max())
    return brightest if 0 < brightest < full * LEAST_USED_SHARE else full


def _shown(values: np.ndarray, white: int, photometric: int) -> Pixels:
    shown = np.round(values * (255 / white)).astype(np.uint8)
    shown = 255 - shown if photometric == WHITE_IS_ZERO else shown
    return shown if shown.shape[2] == 3 else shown[:, :, 0]
