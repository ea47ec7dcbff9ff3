"""Which frames belong to one moment: bursts and brackets."""

from collections import deque
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

MOST_SECONDS = 60.0  # of a burst whose later frames need not look like its best
MOST_FRAMES = 30
OPEN_BURSTS = 8  # that a frame may join: enough for two photographers with the same camera, and for a missed shot
BIAS_STEP_EV = 0.05  # closer exposure biases are the same one, rounded
FOCUS_RATIO = 1.05  # a focus motor says a little other distance each time
_COSINE_ERROR = 1e-5  # of float32 over 768 products

Floats = NDArray[np.floating]
Vector = NDArray[np.float32]


@dataclass(frozen=True)
class Frames:
    """Columns of the same length, one row per frame, in any order. NaN stands for unknown."""

    photo_ids: NDArray[np.int64]
    captured_us: NDArray[np.int64]  # camera time in microseconds: only differences count, so no zone is needed
    cameras: NDArray[np.int32]  # equal for frames of one camera
    vectors: Floats  # (n, dimensions), of unit length or nearly
    sharpness: Floats
    exposure_bias_ev: Floats
    focus_distance_m: Floats
    is_chosen: NDArray[np.bool_]  # the person said that it is the best of its burst


@dataclass(frozen=True)
class Burst:
    """Rows of `Frames` by time, two at least."""

    rows: tuple[int, ...]
    best: int
    kind: Literal["burst", "bracket"]


def find_bursts(frames: Frames, gap_seconds: float, least_cosine: float) -> list[Burst]:
    """Bursts in the order of camera and time; frames that are alone are in none. O(n log n), whatever the times are.

    A frame joins a burst of its camera whose latest frame is at most `gap_seconds` older, if it looks like that one:
    the cosine of their vectors is `least_cosine` or more. Looking like the best, when that is as near, will do as well:
    one shaken frame parts nothing. Of several bursts the one that went on last gets the frame; only the OPEN_BURSTS
    that went on last are asked.

    Frames that each look like the one before can drift far. So from its 31st frame on, and after 60 seconds, a burst
    takes only frames that look also like its best, as it is known by then; the first that does not begins a new burst.
    A series from a tripod stays one burst for as long as it lasts; one that follows a player is cut.

    The best is the sharpest, the earlier one of equals; an unknown sharpness is worst. What the person chose goes
    before, and a burst holds no two such frames: the second begins a burst of its own.
    """
    order = np.lexsort((frames.photo_ids, frames.captured_us, frames.cameras))
    found: list[_Growing] = []
    still_open: deque[_Growing] = deque(maxlen=OPEN_BURSTS)  # the one that went on last at the end
    for row in map(int, order):
        frame = _frame(frames, row)
        burst = _that_takes(frame, still_open, gap_seconds, least_cosine - _COSINE_ERROR)
        if burst is None:
            burst = _Growing(frame)
            found.append(burst)
        else:
            still_open.remove(burst)
            burst.add(frame)
        still_open.append(burst)
    return [_finished(burst, frames) for burst in found if len(burst.rows) > 1]


@dataclass(frozen=True)
class _Frame:
    row: int
    camera: int
    captured_us: int
    vector: Vector
    sharpness: float
    is_chosen: bool


def _frame(frames: Frames, row: int) -> _Frame:
    vector = frames.vectors[row].astype(np.float32)
    sharpness = float(frames.sharpness[row])
    return _Frame(
        row=row,
        camera=int(frames.cameras[row]),
        captured_us=int(frames.captured_us[row]),
        vector=vector / max(float(np.sqrt(vector @ vector)), 1e-12),
        sharpness=-np.inf if np.isnan(sharpness) else sharpness,
        is_chosen=bool(frames.is_chosen[row]),
    )


class _Growing:
    """A burst that may take more frames."""

    def __init__(self, first: _Frame) -> None:
        self.rows = [first.row]
        self.first = self.last = self.best = first

    def add(self, frame: _Frame) -> None:
        self.rows.append(frame.row)
        self.last = frame
        if (frame.is_chosen, frame.sharpness) > (self.best.is_chosen, self.best.sharpness):
            self.best = frame

    def takes(self, frame: _Frame, gap_seconds: float, least_cosine: float) -> bool:
        """Of a frame that is within the gap of the last one."""
        if self.best.is_chosen and frame.is_chosen:
            return False
        is_like_best = bool(self.best.vector @ frame.vector >= least_cosine)
        if len(self.rows) >= MOST_FRAMES or _seconds(self.first, frame) > MOST_SECONDS:
            return is_like_best
        is_near_best = _seconds(self.best, frame) <= gap_seconds
        return (is_like_best and is_near_best) or bool(self.last.vector @ frame.vector >= least_cosine)


def _seconds(earlier: _Frame, later: _Frame) -> float:
    return (later.captured_us - earlier.captured_us) / 1e6


def _that_takes(frame: _Frame, still_open: deque[_Growing], gap_seconds: float, least_cosine: float) -> _Growing | None:
    for burst in reversed(still_open):
        if burst.last.camera != frame.camera or _seconds(burst.last, frame) > gap_seconds:
            return None  # the others went on even earlier
        if burst.takes(frame, gap_seconds, least_cosine):
            return burst
    return None


def _finished(burst: _Growing, frames: Frames) -> Burst:
    """A burst whose exposure bias or focus distance varies, among the frames where it is known, is a bracket."""
    darkest, brightest = _range(frames.exposure_bias_ev[burst.rows])
    nearest, farthest = _range(frames.focus_distance_m[burst.rows])
    is_bracket = brightest - darkest > BIAS_STEP_EV or farthest > nearest * FOCUS_RATIO
    return Burst(tuple(burst.rows), burst.best.row, "bracket" if is_bracket else "burst")


def _range(values: Floats) -> tuple[float, float]:
    """Least and largest of the known ones; (0, 0) when none is known."""
    known = values[~np.isnan(values)]
    return (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
