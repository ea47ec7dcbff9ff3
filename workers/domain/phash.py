"""A 64-bit perceptual hash: near-identical pictures differ in few bits."""

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE, KEPT = 32, 8


def perceptual_hash(luma: NDArray[np.uint8]) -> str:
    """16 hex digits from a luminance of any size, at least 1x1.

    The DCT hash of Zauner 2010: which of the 64 lowest frequencies, the mean left out, exceed their median.
    A flat picture gives zeros.
    """
    small = cv2.resize(luma, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    # Rounded, so that the rounding errors of a flat picture are not taken for structure.
    low = np.round(cv2.dct(small)[:KEPT, :KEPT].ravel(), 2)
    bits = low > np.median(low[1:])
    bits[0] = False
    return np.packbits(bits).tobytes().hex()


def distance(one: str, other: str) -> int:
    """In how many of the 64 bits two hashes differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()
