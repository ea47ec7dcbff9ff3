"""Signs of damage that decoders accept in silence."""

import numpy as np
from numpy.typing import NDArray

ZERO_TAIL_BYTES = 2 * 1024  # compressed picture data never holds so long a run
RAW_ZERO_TAIL_BYTES = 64 * 1024  # cameras pad a RAW to a block
BLANK_SHARE = 0.995
SAMPLED_ROWS = 100
END_OF_JPEG = b"\xff\xd9"


def zero_tail_bytes(data: bytes | bytearray) -> int:
    """How many zero bytes the file ends with, as a bad card or a cut-off copy leaves them."""
    return len(data) - len(data.rstrip(b"\0"))


def has_zero_tail(data: bytes | bytearray, least_bytes: int = ZERO_TAIL_BYTES) -> bool:
    """Whether the picture itself, and not padding after its end, was overwritten by zeros."""
    if data[-least_bytes:].strip(b"\0"):  # the common case, without looking at the whole file
        return False
    return zero_tail_bytes(data) >= least_bytes and not data.rstrip(b"\0").endswith(END_OF_JPEG)


def is_blank(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> bool:
    """Whether a broken picture or its sensor data, shape (height, width, ...), is one value nearly all over.

    So it looks when only the header was there: decoders fill what is missing with black or grey.
    """
    return bool((pixels[::3, ::3] == pixels[-1, -1]).mean() > BLANK_SHARE)


def is_noise(mosaic: NDArray[np.uint16], white_level: int) -> bool:
    """Whether sensor data is noise of a strength no picture has: something else was read as pixels.

    Pixels two apart see the same colour; in a picture they agree, whatever the exposure.
    """
    rows = mosaic[:: max(2, mosaic.shape[0] // SAMPLED_ROWS // 2 * 2), ::2].astype(np.float32)
    one, other = rows[:, :-1].ravel(), rows[:, 1:].ravel()
    if len(one) < 1_000 or one.std() < 0.05 * white_level:
        return False
    return bool(abs(np.corrcoef(one, other)[0, 1]) < 0.1)
