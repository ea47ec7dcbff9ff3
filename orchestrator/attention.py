"""Whether a person is looking through photos now, so that the machine is theirs and bulk work takes less of it.

In the database: the page of one orchestrator is heeded by another one that leads.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

SILENCE_SECONDS = 60.0  # after the last word of a page; pages say something every 20 s


async def is_there(session: AsyncSession) -> bool:
    return bool(await session.scalar(text("SELECT lasts_until > now() FROM attention")))


async def here(session: AsyncSession) -> None:
    await session.execute(
        text("UPDATE attention SET lasts_until = now() + make_interval(secs => :silence)"), {"silence": SILENCE_SECONDS}
    )


async def gone(session: AsyncSession) -> None:
    """A page was closed. Another one that is open says so within seconds."""
    await session.execute(text("UPDATE attention SET lasts_until = NULL"))
