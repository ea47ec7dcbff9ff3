"""Failures that are settled and old, some thousands in a transaction."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.db import Sessions
from orchestrator.pruning.pruned import Pruned

_AT_ONCE = 5_000

_LETTERS = "state = 'resolved' AND last_at < :before"
# What a page still shows about a failure that is not settled stays.
_LOGS = """created_at < :before
  AND NOT EXISTS (SELECT 1 FROM dead_letters letter WHERE letter.state <> 'resolved'
    AND (letter.run_id = error_logs.run_id OR letter.earlier_runs @> ARRAY[error_logs.run_id]))
  AND NOT EXISTS (SELECT 1 FROM stage_runs run WHERE run.run_id = error_logs.run_id
    AND run.state NOT IN ('done', 'cancelled'))"""


async def dead_letters(sessions: Sessions, before: datetime, *, is_dry: bool) -> Pruned:
    """Resolved ones that nothing was heard of since."""
    return await _prune(sessions, "dead_letters", "dead letters", _LETTERS, before, is_dry)


async def error_logs(sessions: Sessions, before: datetime, *, is_dry: bool) -> Pruned:
    """The attempts of what has passed or was given up."""
    return await _prune(sessions, "error_logs", "error logs", _LOGS, before, is_dry)


async def _prune(sessions: Sessions, table: str, name: str, which: str, before: datetime, is_dry: bool) -> Pruned:
    count = size = 0
    async with sessions() as session:
        last = int(await session.scalar(text(f"SELECT coalesce(max(id), 0) FROM {table}")) or 0)
    after = 0
    while after < last:
        async with sessions.begin() as session:
            upto = await _upto(session, table, after)
            part = f"id > :after AND id <= :upto AND {which}"
            sizes = f"SELECT count(*), coalesce(sum(pg_column_size({table}.*)), 0)::bigint FROM {table} WHERE {part}"
            names = {"after": after, "upto": upto, "before": before}
            found, bytes_ = (await session.execute(text(sizes), names)).one()
            if found and not is_dry:
                await session.execute(text(f"DELETE FROM {table} WHERE {part}"), names)
        count, size, after = count + found, size + bytes_, upto
    return Pruned(name, count, size)


async def _upto(session: AsyncSession, table: str, after: int) -> int:
    """The last id of the next thousands."""
    walked = f"SELECT max(id) FROM (SELECT id FROM {table} WHERE id > :after ORDER BY id LIMIT :most) AS next"
    upto = await session.scalar(text(walked), {"after": after, "most": _AT_ONCE})
    return int(upto) if upto is not None else 2**63 - 1
