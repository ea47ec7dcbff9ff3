"""Stage `bursts`: the frames of the archive become bursts and brackets."""

import hashlib
import io
import zipfile

import numpy as np

from shared.contracts import bursts
from shared.errors import Reject
from workers.domain.bursts import Burst, Frames, find_bursts
from workers.stage import Stage, one_by_one
from workers.tools import Tools


def handle(request: bursts.Request, tools: Tools) -> bursts.Result:
    """A request names every frame of the archive that has another within the gap, or whole stretches of such frames:
    what bursts a frame is in depends on no other."""
    frames = _frames(request, tools)
    found = find_bursts(frames, request.gap_seconds, request.least_cosine)
    data = _packed(frames, found)
    claim = tools.claims.put(f"bursts/found-{hashlib.sha256(data).hexdigest()[:32]}.npz", data)
    photos = sum(len(burst.rows) for burst in found)
    return bursts.Result(seq=request.seq, file_path=claim, bursts=len(found), photos=photos)


def _frames(request: bursts.Request, tools: Tools) -> Frames:
    try:
        with tools.claims.open(request.file_path) as file, np.load(file, allow_pickle=False) as columns:
            frames = Frames(**{name: columns[name] for name in Frames.__dataclass_fields__})
    except FileNotFoundError as exc:
        raise Reject(
            "The list of frames is not there any more. The bursts are found again after the next import."
        ) from exc
    except (EOFError, KeyError, ValueError, zipfile.BadZipFile) as exc:
        raise Reject(f"The list of frames cannot be read: {exc}") from exc
    if len({len(column) for column in vars(frames).values()}) != 1 or frames.vectors.ndim != 2:
        raise Reject("The list of frames cannot be read: its columns differ in length.")
    return frames


def _packed(frames: Frames, found: list[Burst]) -> bytes:
    rows = np.array([row for burst in found for row in burst.rows], dtype=np.int64)
    buffer = io.BytesIO()
    np.savez(
        buffer,
        photo_ids=frames.photo_ids[rows],
        groups=np.repeat(np.arange(len(found), dtype=np.int32), [len(burst.rows) for burst in found]),
        is_bracket=np.array([burst.kind == "bracket" for burst in found], dtype=np.bool_),
    )
    return buffer.getvalue()


stage = Stage("bursts", bursts.Request, bursts.Result, one_by_one(handle), deadline_seconds=1_200, max_attempts=3)
