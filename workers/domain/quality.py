"""Technical measurements of a photo from its luminance: how sharp, how clipped. No model, no taste.

Why these and not others, with the figures behind the curves: docs/decisions/0005-how-each-format-is-decoded.md.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]  # shape (height, width), display-encoded luminance 0-255

TILE_PIXELS = 128  # small enough for the eye of a portrait in 24 megapixels, large enough for a steady variance
DARKEST_KEPT, BRIGHTEST_KEPT = 2, 253  # outside this a pixel holds no detail; JPEG rounds 0 and 255 inwards
WHITE_NOISE_GAIN = 20  # sum of squares of the Laplacian kernel: what it makes of noise with variance 1
IMMERKAER_GAIN = 36  # the same for the kernel of `_noise_variances`
NOISE_ROW_STEP = 4  # noise is estimated on every fourth row of tiles

# Tile variance that scores 0 and 100, by the megapixels up to which it holds. Small files are downsampled and
# crisp in every pixel; the more pixels a sensor has, the softer each one is through the same lens.
CURVES = ((2.5, 60.0, 12_000.0), (8.0, 30.0, 8_000.0), (16.0, 15.0, 5_000.0), (32.0, 8.0, 3_000.0))
FINEST_CURVE = (5.0, 2_000.0)

UNPUNISHED_CLIPPING, WORST_CLIPPING = 0.005, 0.05
SHARPNESS_WEIGHT = 0.7


@dataclass(frozen=True)
class Measurement:
    laplacian_variance: float  # whole frame
    tile_variance_p95: float
    noise_sigma: float

    def scaled(self, gain: float) -> "Measurement":
        """The same with every variance times `gain`: a softer interpolation brought to the scale of a sharper one."""
        return Measurement(
            self.laplacian_variance * gain, self.tile_variance_p95 * gain, self.noise_sigma * math.sqrt(gain)
        )


@dataclass(frozen=True)
class Scores:
    sharpness: float  # all 0-100
    exposure: float
    technical: float


def measure(luma: Luma) -> Measurement:
    """Laplacian statistics of a full-resolution luminance of at least 1x1; a flat image gives zeros.

    The kernel is [[0,1,0],[1,-4,1],[0,1,0]], the variance of its response as in Pech-Pacheco et al. 2000.
    """
    sums, squares, counts = np.array(list(_tile_sums(luma)), dtype=np.float64).T
    variances = squares / counts - (sums / counts) ** 2
    whole = squares.sum() / counts.sum() - (sums.sum() / counts.sum()) ** 2
    # Slivers at the right and lower edge are too small to speak for themselves.
    full = variances[counts >= TILE_PIXELS * TILE_PIXELS // 4] if len(variances) > 4 else variances
    p95 = float(np.percentile(full if len(full) else variances, 95))
    return Measurement(max(0.0, float(whole)), max(0.0, p95), _noise_sigma(luma))


def clipped_share(luma: Luma) -> float:
    """The share, 0-1, of pixels that are pure black or pure white."""
    kept = cv2.countNonZero(cv2.inRange(luma, DARKEST_KEPT, BRIGHTEST_KEPT))
    return 1 - kept / luma.size


def score(measurement: Measurement, clipped: float, megapixels: float) -> Scores:
    """Measurements mapped to 0-100; never fails, whatever the numbers."""
    sharpness = _sharpness(measurement, megapixels)
    exposure = 100 * _clamp((WORST_CLIPPING - clipped) / (WORST_CLIPPING - UNPUNISHED_CLIPPING))
    technical = SHARPNESS_WEIGHT * sharpness + (1 - SHARPNESS_WEIGHT) * exposure
    return Scores(round(sharpness, 2), round(exposure, 2), round(technical, 2))


def _sharpness(measurement: Measurement, megapixels: float) -> float:
    """Logarithmic, as sharpness is seen: each doubling of the variance above the noise adds the same."""
    noise = WHITE_NOISE_GAIN * measurement.noise_sigma**2
    signal = measurement.tile_variance_p95 - noise
    low, high = next(((low, high) for limit, low, high in CURVES if megapixels <= limit), FINEST_CURVE)
    return 100 * _clamp(math.log(max(signal, 1e-6) / low) / math.log(high / low))


def _clamp(share: float) -> float:
    return min(1.0, max(0.0, share))


def _tile_sums(luma: Luma) -> Iterator[tuple[float, float, int]]:
    """Sum, sum of squares and number of Laplacian responses of each tile.

    In bands that stay in the cache, by `sumElems` and `norm`: 13 ms for 24 megapixels, meanStdDev takes 33.
    """
    for top in range(0, luma.shape[0], TILE_PIXELS):
        above = min(top, 1)  # one row more on either side, so that bands join without a seam
        band = cv2.Laplacian(luma[top - above : top + TILE_PIXELS + 1], cv2.CV_16S)[above : above + TILE_PIXELS]
        for left in range(0, luma.shape[1], TILE_PIXELS):
            tile = band[:, left : left + TILE_PIXELS]
            yield cv2.sumElems(tile)[0], cv2.norm(tile, cv2.NORM_L2SQR), tile.size


def _noise_sigma(luma: Luma) -> float:
    """Noise of the smoothest tenth of the frame, in 0-255 units; Immerkaer 1996 on tiles instead of the frame."""
    variances = list(_noise_variances(luma))
    return math.sqrt(max(0.0, float(np.percentile(variances, 10)))) if variances else 0.0


def _noise_variances(luma: Luma) -> Iterator[float]:
    kernel = np.array([1.0, -2.0, 1.0])
    for top in range(0, luma.shape[0], TILE_PIXELS * NOISE_ROW_STEP):
        band = luma[top : top + TILE_PIXELS]
        response = cv2.sepFilter2D(band, cv2.CV_16S, kernel, kernel)
        for left in range(0, luma.shape[1], TILE_PIXELS):
            tile = response[:, left : left + TILE_PIXELS]
            # A clipped sky has no noise left to measure.
            if clipped_share(band[:, left : left + TILE_PIXELS]) < 0.05:
                yield cv2.norm(tile, cv2.NORM_L2SQR) / tile.size / IMMERKAER_GAIN
