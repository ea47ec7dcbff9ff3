"""Frames that are made up: when they were taken, and what they look like."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from workers.domain.bursts import Frames

NAN = float("nan")


def frames(
    seconds: Sequence[float], vectors: np.ndarray | None = None, *, ids: Sequence[int] | None = None, **columns: Any
) -> Frames:
    """Frames at these seconds, all of the same look unless vectors are given, nothing else known of them."""
    n = len(seconds)
    defaults: dict[str, Any] = {
        "photo_ids": np.array(range(1, n + 1) if ids is None else ids, np.int64),
        "captured_us": np.array([round(second * 1e6) for second in seconds], np.int64),
        "cameras": np.zeros(n, np.int32),
        "vectors": (np.tile(look(0), (n, 1)) if vectors is None else vectors).astype(np.float16),
        **{name: np.full(n, NAN, np.float32) for name in ("sharpness", "exposure_bias_ev", "focus_distance_m")},
        "is_chosen": np.zeros(n, np.bool_),
    }
    return Frames(**{**defaults, **{name: np.array(column) for name, column in columns.items()}})


def look(degrees: float) -> np.ndarray:
    """A unit vector; two of them are as alike as the cosine of the angle between them."""
    vector = np.zeros(768)
    vector[:2] = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return vector


def looks(*degrees: float) -> np.ndarray:
    return np.array([look(one) for one in degrees])
