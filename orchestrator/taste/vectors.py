"""Vectors on their way to the workers: out of the database in few large pieces, into the .npz of a request."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.embedding.vectors import SENT, Vectors, unpacked
from shared.contracts.embed import DIMENSIONS

_AT_ONCE = 2_500  # vectors in one field of one row: about 4 MB

Ids = NDArray[np.int64]


async def read(session: AsyncSession, model: str, photo_ids: Sequence[int]) -> tuple[Ids, Vectors]:
    """Those of these photos that have a vector of the model, in the order of their ids: (n,) and (n, 768)."""
    ids, vectors = [np.empty(0, np.int64)], [np.empty((0, DIMENSIONS), np.float16)]
    wanted = sorted(photo_ids)
    for start in range(0, len(wanted), _AT_ONCE):
        row = (
            await session.execute(
                text(
                    f"SELECT array_agg(photo_id ORDER BY photo_id) AS ids,"
                    f" string_agg({SENT}, '' ORDER BY photo_id) AS data"
                    " FROM photo_vectors WHERE model = :model AND photo_id = ANY(:ids)"
                ),
                {"model": model, "ids": wanted[start : start + _AT_ONCE]},
            )
        ).one()
        if row.ids:
            ids.append(np.array(row.ids, np.int64))
            vectors.append(unpacked(row.data))
    return np.concatenate(ids), np.concatenate(vectors)


async def sample(session: AsyncSession, model: str, most: int, seed: int) -> Vectors:
    """About `most` random vectors of the model, all of them when there are fewer: (m, 768).

    Random ids are tried, as many as it takes where ids have gaps: ordering a million rows at random would take long.
    """
    row = (
        await session.execute(
            text(
                "SELECT min(id) AS low, max(id) AS high, (SELECT coalesce(sum(n), 0)::bigint FROM tallies"
                " WHERE kind = 'embed' AND state = 'done') AS embedded FROM photos"
            )
        )
    ).one()
    if row.low is None:
        return np.empty((0, DIMENSIONS), np.float16)
    span = row.high - row.low + 1
    tries = min(span, int(1.1 * most * span / min(max(row.embedded, 1), span)), 20 * most)
    chosen = np.random.default_rng(seed).choice(span, size=tries, replace=False) + row.low
    _, vectors = await read(session, model, chosen.tolist())
    return vectors[np.random.default_rng(seed).permutation(len(vectors))[:most]]


def packed(members: Mapping[str, NDArray[Any]]) -> bytes:  # Any: what a request is about
    """The .npz of these arrays."""
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **dict(members))
    return file.getvalue()
