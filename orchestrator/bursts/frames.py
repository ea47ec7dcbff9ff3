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

# Frames of one camera, each at most the gap after the one before, are a stretch: what a frame is in is decided within
# its stretch. Looked at are those with new frames, and those with other frames of the same bursts: a burst can lie in
# several where a frame between them was rejected, or got another time.
_AROUND = f"""
WITH about AS (
  SELECT photo_id AS id FROM new_frames
  UNION SELECT mate.id FROM new_frames JOIN photos ON photos.id = photo_id JOIN photos mate USING (burst_id)),
dated AS (
  SELECT id, burst_id, camera_make, camera_model, captured_at,
    captured_at - lag(captured_at) OVER by_time <= make_interval(secs => :gap) AS goes_on
  FROM photos WHERE preview IS NOT NULL AND captured_at IS NOT NULL AND {TAKES_PART}
  WINDOW by_time AS (PARTITION BY camera_make, camera_model ORDER BY captured_at, id)),
stretches AS MATERIALIZED (
  SELECT id, burst_id, sum(CASE WHEN goes_on THEN 0 ELSE 1 END)
    OVER (ORDER BY camera_make, camera_model, captured_at, id) AS stretch FROM dated),
concerned AS MATERIALIZED (
  SELECT id, burst_id, stretch FROM stretches
  WHERE stretch IN (SELECT stretch FROM stretches WHERE id IN (SELECT id FROM about)))
SELECT id FROM about
UNION SELECT id FROM stretches WHERE stretch IN (SELECT stretch FROM concerned
  UNION SELECT stretch FROM stretches WHERE burst_id IN (SELECT burst_id FROM concerned))
"""

# A frame whose neighbours in time are all too far away is alone, whatever it looks like: it stays here.
_CANDIDATES = f"""
SELECT id, (extract(epoch FROM captured_at) * 1000000)::bigint AS captured_us, camera_make, camera_model,
  {vectors.SENT} AS vector, sharpness_score, exposure_bias_ev, focus_distance_m,
  burst_best_at IS NOT NULL AS is_chosen
FROM (SELECT *, captured_at - lag(captured_at) OVER by_time AS before,
    lead(captured_at) OVER by_time - captured_at AS after
  FROM photos WHERE preview IS NOT NULL AND captured_at IS NOT NULL AND {TAKES_PART}
    AND (CAST(:scope AS bigint[]) IS NULL OR id = ANY(:scope))
  WINDOW by_time AS (PARTITION BY camera_make, camera_model ORDER BY captured_at, id)) AS dated
JOIN photo_vectors ON photo_id = id AND model = :model
WHERE least(before, after) <= make_interval(secs => :gap)
"""


async def candidates(session: AsyncSession, model: str, gap_seconds: float, *, is_whole: bool) -> Columns:
    """Photos with a vector of this model that have another of their camera within the gap; empty columns for none.
    Unless `is_whole`, only those that new frames may concern; the column `scope` names all photos that were looked at,
    and is as long as it is."""
    scope = None if is_whole else list(await session.scalars(text(_AROUND), {"gap": gap_seconds}))
    stream = await session.stream(
        text(_CANDIDATES),
        {"model": model, "gap": gap_seconds, "scope": scope},
        execution_options={"yield_per": _AT_ONCE},
    )
    cameras: dict[tuple[str | None, str | None], int] = {}
    parts = [_columns([], cameras)]
    async for rows in stream.partitions():
        parts.append(_columns(rows, cameras))
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return columns if scope is None else columns | {_SCOPE: np.array(scope, np.int64)}


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
