"""Old logs, files of versions of the taste that are far behind, and derived files that no photo needs."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.db import Sessions
from orchestrator.photos import sweeper
from orchestrator.pruning.pruned import Pruned
from shared.claims import ClaimStore, Stored

_MOST_COUNTED = 1_000_000
_REMOVED = "Its file was removed to free room."


def logs(home: Path, before: datetime, *, is_dry: bool) -> Pruned:
    """Those of earlier starts. What is being written stays."""
    count = size = 0
    for path in (home / "log").glob("*.log.*"):
        try:
            found = path.stat()
        except FileNotFoundError:  # Keepers was opened meanwhile, and gave it another name
            continue
        if found.st_mtime < before.timestamp():
            count, size = count + 1, size + found.st_size
            if not is_dry:
                path.unlink(missing_ok=True)
    return Pruned("logs", count, size)


async def taste_versions(sessions: Sessions, claims: ClaimStore, kept: int, *, is_dry: bool) -> Pruned:
    """The version in force and the newest `kept` keep their files; of the others the measurements stay. A broken one
    may have a file, too: it can be used should that be whole after all."""
    async with sessions.begin() as session:
        rows = (await session.execute(_OLD_VERSIONS, {"kept": kept})).all()
        files = await asyncio.to_thread(claims.stats, [row.artifact for row in rows])
        if not is_dry:
            for claim in files:
                await asyncio.to_thread(claims.remove, claim)
            await session.execute(_MARK, {"versions": [row.version for row in rows], "error": _REMOVED})
    return Pruned("taste versions", len(files), _size(files.values()))


_OLD_VERSIONS = text(
    """
    SELECT version, artifact FROM taste_models WHERE state IN ('ready', 'broken') AND artifact IS NOT NULL
      AND version IS DISTINCT FROM (SELECT version FROM taste_state FOR UPDATE)
      AND version NOT IN (SELECT version FROM taste_models ORDER BY version DESC LIMIT :kept)
      AND version NOT IN (SELECT version FROM taste_models WHERE state = 'ready' ORDER BY version DESC LIMIT :kept)
    ORDER BY version FOR UPDATE
    """
)
_MARK = text("UPDATE taste_models SET state = 'broken', error = :error WHERE version = ANY(:versions)")


async def orphans(sessions: Sessions, claims: ClaimStore, *, is_dry: bool) -> Pruned:
    """Derived files that were found to be needed by nothing a day ago, and how many more there are."""
    if is_dry:
        async with sessions() as session:  # never committed
            await _nominate_all(session, claims)
            _, files = await _due(session, claims, _MOST_COUNTED)
            return Pruned("orphaned files", len(files), _size(files), await _younger(session))
    async with sessions.begin() as session:
        await _nominate_all(session, claims)
    count = size = 0
    while True:
        async with sessions.begin() as session:
            is_any, files = await _due(session, claims, sweeper.AT_ONCE)
            await sweeper.sweep(session, claims)
        count, size = count + len(files), size + _size(files)
        if not is_any:
            async with sessions() as session:
                return Pruned("orphaned files", count, size, await _younger(session))


async def _nominate_all(session: AsyncSession, claims: ClaimStore) -> None:
    for folder in sweeper.FOLDERS:
        await sweeper.nominate(session, claims, folder)


async def _due(session: AsyncSession, claims: ClaimStore, limit: int) -> tuple[bool, list[Stored]]:
    """Whether a sweep has anything to look at, and what it removes."""
    due = await sweeper.due(session, sweeper.DAY_SECONDS, limit)
    return bool(due), await asyncio.to_thread(sweeper.removable, claims, due, sweeper.DAY_SECONDS)


async def _younger(session: AsyncSession) -> int:
    young = "SELECT count(*) FROM orphan_candidates WHERE since > now() - make_interval(secs => :age)"
    return int(await session.scalar(text(young), {"age": sweeper.DAY_SECONDS}) or 0)


def _size(files: Iterable[Stored]) -> int:
    return sum(file.size for file in files)
