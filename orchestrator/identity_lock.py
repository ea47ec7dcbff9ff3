"""One transaction at a time decides which files are which photo."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_DECIDING = 0x6B6565706964  # advisory lock


async def take(session: AsyncSession) -> None:
    """Until the end of the transaction, nobody else records files, applies answers, cancels or moves a root.

    Take it before any row: these lock imports, runs, photos and items in different orders, and with this in
    front none of them can wait for another in a circle. Keep it short: look at disks before.
    """
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _DECIDING})
