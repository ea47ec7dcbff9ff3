"""The frames that may be in a burst, as the file that a search for bursts works on."""

import asyncio
import io
import uuid
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.bursts.sizes import TAKES_PART
from orchestrator.embedding import vectors
from shared.claims import ClaimStore

FOLDER = "bursts"
_AT_ONCE = 5_000
_SCOPE = "scope"

Columns = Mapping[str, NDArray[Any]]  # Any: see shared.contracts.bursts

# Frames each at most the gap after the one before are a stretch: what bursts a frame is in is decided within its
# stretch. From some frames on, the ends are found by steps as long as the gap, each a look into an index.
_FRAME = f"preview IS NOT NULL AND captured_at IS NOT NULL AND {TAKES_PART}"
_STRETCHES = f"""
WITH RECURSIVE back (t) AS (
  SELECT captured_at FROM photos WHERE id = ANY(:ids) AND {_FRAME}
  UNION SELECT earlier.t FROM back CROSS JOIN LATERAL (SELECT captured_at AS t FROM photos
    WHERE captured_at >= back.t - make_interval(secs => :gap) AND captured_at < back.t AND {_FRAME}
    ORDER BY captured_at LIMIT 1) AS earlier),
ahead (t) AS (
  SELECT captured_at FROM photos WHERE id = ANY(:ids) AND {_FRAME}
  UNION SELECT later.t FROM ahead CROSS JOIN LATERAL (SELECT captured_at AS t FROM photos
    WHERE captured_at <= ahead.t + make_interval(secs => :gap) AND captured_at > ahead.t AND {_FRAME}
    ORDER BY captured_at DESC LIMIT 1) AS later)
SELECT DISTINCT near.id FROM (SELECT t FROM back UNION SELECT t FROM ahead) AS steps CROSS JOIN LATERAL (
  SELECT id FROM photos WHERE {_FRAME}
    AND captured_at BETWEEN t - make_interval(secs => :gap) AND t + make_interval(secs => :gap)) AS near
"""
_MATES = """
SELECT id FROM photos WHERE burst_id IN (SELECT burst_id FROM photos WHERE id = ANY(:ids)) AND id <> ALL(:ids)
"""

# A frame whose neighbours in time are all too far away is alone, whatever it looks like: it stays here.
_CANDIDATES = """
SELECT id, (extract(epoch FROM captured_at) * 1000000)::bigint AS captured_us, camera_make, camera_model,
  {vector} AS vector, sharpness_score, exposure_bias_ev, focus_distance_m,
  burst_best_at IS NOT NULL AS is_chosen
FROM (SELECT *, captured_at - lag(captured_at) OVER by_time AS before,
    lead(captured_at) OVER by_time - captured_at AS after
  FROM photos WHERE {which}
  WINDOW by_time AS (PARTITION BY camera_make, camera_model ORDER BY captured_at, id)) AS dated
JOIN photo_vectors ON photo_id = id AND model = :model
WHERE least(before, after) <= make_interval(secs => :gap)
"""


async def candidates(session: AsyncSession, model: str, gap_seconds: float, *, is_whole: bool) -> Columns:
    """Photos with a vector of this model that have another of their camera within the gap; empty columns for none.
    Unless `is_whole`, only those that new frames may concern; the column `scope` names all photos that were looked at,
    and is as long as it is."""
    scope = None if is_whole else await _around_new_frames(session, gap_seconds)
    which, named = (_FRAME, {}) if scope is None else (f"{_FRAME} AND id = ANY(:scope)", {"scope": scope})
    stream = await session.stream(
        text(_CANDIDATES.format(which=which, vector=vectors.SENT)),
        {"model": model, "gap": gap_seconds, **named},
        execution_options={"yield_per": _AT_ONCE},
    )
    cameras: dict[tuple[str | None, str | None], int] = {}
    parts = [_columns([], cameras)]
    async for rows in stream.partitions():
        parts.append(_columns(rows, cameras))
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return columns if scope is None else columns | {_SCOPE: np.array(scope, np.int64)}


async def _around_new_frames(session: AsyncSession, gap_seconds: float) -> list[int]:
    """New frames and their stretches; and those of other frames in the bursts that are met: a burst can lie in several
    stretches where a frame between them was rejected, or got another time."""

    async def with_stretches(ids: set[int]) -> set[int]:
        rows = await session.scalars(text(_STRETCHES), {"ids": list(ids), "gap": gap_seconds})
        return ids.union(rows)

    async def mates(ids: set[int]) -> set[int]:
        return set(await session.scalars(text(_MATES), {"ids": list(ids)}))

    # The planner expects far more steps than there are: compiling the statement would take longer than running it.
    await session.execute(text("SET LOCAL jit = off"))
    new = set(await session.scalars(text("SELECT photo_id FROM new_frames")))
    near = await with_stretches(new | await mates(new))
    apart = await mates(near)
    return sorted(near | await with_stretches(apart) if apart else near)


def scope_of(columns: Columns) -> frozenset[int] | None:
    """The photos that were looked at; None for all."""
    return frozenset(columns[_SCOPE].tolist()) if _SCOPE in columns else None


def _columns(rows: Any, cameras: dict[tuple[str | None, str | None], int]) -> Columns:  # Any: rows of _CANDIDATES
    camera_of = [cameras.setdefault((row.camera_make, row.camera_model), len(cameras)) for row in rows]
    return {
        "photo_ids": np.array([row.id for row in rows], np.int64),
        "captured_us": np.array([row.captured_us for row in rows], np.int64),
        "cameras": np.array(camera_of, np.int32),
        "vectors": vectors.unpacked(b"".join(row.vector for row in rows)),
        "sharpness": np.array([row.sharpness_score for row in rows], np.float32),  # None becomes NaN
        "exposure_bias_ev": np.array([row.exposure_bias_ev for row in rows], np.float32),
        "focus_distance_m": np.array([row.focus_distance_m for row in rows], np.float32),
        "is_chosen": np.array([row.is_chosen for row in rows], np.bool_),
    }


async def store(claims: ClaimStore, columns: Columns) -> str:
    return await asyncio.to_thread(_store, claims, columns)


def _store(claims: ClaimStore, columns: Columns) -> str:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **columns)
    return claims.put(f"{FOLDER}/frames-{uuid.uuid4().hex}.npz", buffer.getvalue())
