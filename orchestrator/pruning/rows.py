"""Failures that are settled and old, and vectors that are compared no more, some thousands in a transaction."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.db import Sessions
from orchestrator.embedding import service as embedding
from orchestrator.pruning.pruned import Pruned

_AT_ONCE = 5_000


@dataclass(frozen=True)
class _Rows:
    """Rows of a table, walked in the order of `key`, for which a condition holds."""

    name: str
    table: str
    which: str
    lock: Callable[[AsyncSession], Awaitable[None]] | None = None  # taken for each part
    values: dict[str, Any] = field(default_factory=dict)  # Any: whatever the driver takes
    key: str = "id"


_LETTERS = "state = 'resolved' AND last_at < :before"
# What a page still shows about a failure that is not settled stays.
_LOGS = """created_at < :before
  AND NOT EXISTS (SELECT 1 FROM dead_letters letter WHERE letter.state <> 'resolved'
    AND (letter.run_id = error_logs.run_id OR letter.earlier_runs @> ARRAY[error_logs.run_id]))
  AND NOT EXISTS (SELECT 1 FROM stage_runs run WHERE run.run_id = error_logs.run_id
    AND run.state NOT IN ('done', 'cancelled'))"""
_IN_USE = "SELECT name FROM embedding_models WHERE state <> 'retired'"
# It is asked why a photo has its score until the next version has learned from the new vectors.
_OF_TASTE = "SELECT embedding_model FROM taste_models JOIN taste_state USING (version)"
_RETIRED = f"EXISTS ({_IN_USE}) AND model NOT IN ({_IN_USE} UNION ALL {_OF_TASTE})"


async def dead_letters(sessions: Sessions, before: datetime, *, is_dry: bool) -> Pruned:
    """Resolved ones that nothing was heard of since."""
    return await _prune(
        sessions, _Rows("dead letters", "dead_letters", _LETTERS, values={"before": before}), is_dry=is_dry
    )


async def error_logs(sessions: Sessions, before: datetime, *, is_dry: bool) -> Pruned:
    """The attempts of what has passed or was given up."""
    return await _prune(sessions, _Rows("error logs", "error_logs", _LOGS, values={"before": before}), is_dry=is_dry)


async def vectors(sessions: Sessions, *, is_dry: bool) -> Pruned:
    """Of embedding models that are neither in force nor being built, nor what the taste in force learned from. Should
    one of them come back, all of its vectors are made again anyway."""
    rows = _Rows("old vectors", "photo_vectors", _RETIRED, lock=embedding.lock_choice, key="photo_id")
    return await _prune(sessions, rows, is_dry=is_dry)


async def _prune(sessions: Sessions, rows: _Rows, *, is_dry: bool) -> Pruned:
    count = size = 0
    async with sessions() as session:
        last = int(await session.scalar(text(f"SELECT coalesce(max({rows.key}), 0) FROM {rows.table}")) or 0)
    after = 0
    while after < last:
        async with sessions.begin() as session:
            if rows.lock is not None:
                await rows.lock(session)
            upto = await _upto(session, rows, after)
            found, bytes_ = await _prune_part(session, rows, {"after": after, "upto": upto}, is_dry=is_dry)
        count, size, after = count + found, size + bytes_, upto
    return Pruned(rows.name, count, size)


async def _prune_part(session: AsyncSession, rows: _Rows, part: dict[str, int], *, is_dry: bool) -> tuple[int, int]:
    where = f"{rows.key} > :after AND {rows.key} <= :upto AND {rows.which}"
    sizes = f"SELECT count(*), coalesce(sum(pg_column_size({rows.table}.*)), 0)::bigint FROM {rows.table} WHERE {where}"
    found, size = (await session.execute(text(sizes), {**rows.values, **part})).one()
    if found and not is_dry:
        await session.execute(text(f"DELETE FROM {rows.table} WHERE {where}"), {**rows.values, **part})
    return found, size


async def _upto(session: AsyncSession, rows: _Rows, after: int) -> int:
    """The last key of the next thousands."""
    walked = f"SELECT {rows.key} FROM {rows.table} WHERE {rows.key} > :after ORDER BY {rows.key} LIMIT :most"
    upto = await session.scalar(
        text(f"SELECT max({rows.key}) FROM ({walked}) AS next"), {"after": after, "most": _AT_ONCE}
    )
    return int(upto) if upto is not None else 2**63 - 1
