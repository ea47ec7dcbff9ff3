"""Photos that were removed and that an import met again."""

from collections.abc import Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator import identity_lock
from orchestrator.db import Sessions
from orchestrator.photos.identity import REMOVED
from orchestrator.removal.service import bring_back

# The reason is part of the statement, as of the index.
_MET = f"""
FROM import_items AS item JOIN photos ON photos.id = item.photo_id
WHERE import_id = ANY(:imports) AND reason = '{REMOVED}' AND deleted_at IS NOT NULL
"""


async def of_imports(session: AsyncSession, import_ids: Sequence[int]) -> Mapping[int, int]:
    """How many photos each of these imports left out because they were removed before."""
    counted = text(f"SELECT import_id, count(DISTINCT item.photo_id) {_MET} GROUP BY import_id")
    rows = await session.execute(counted, {"imports": list(import_ids)})
    return dict(rows.all())


async def bring_back_met(sessions: Sessions, import_id: int) -> list[int]:
    """Import them anyway: they are there again, with all that was said about them."""
    async with sessions.begin() as session:
        await identity_lock.take(session)
        met = text(f"SELECT DISTINCT item.photo_id {_MET}")
        return await bring_back(session, list(await session.scalars(met, {"imports": [import_id]})))
