"""Telling the pages: an event is written in the transaction that made it true."""

import json

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

CHANNEL = "keepers_events"

PHOTOS, IMPORTS, FAILURES, STAGES = "photos", "imports", "failures", "stages"
TASTE, BURSTS, RENDITIONS = "taste", "bursts", "renditions"
PREFERENCES = "preferences"  # for the orchestrators; pages tell each other

_MOST_TOLD = 1_000  # of more, a page looks at everything anew


async def record(session: AsyncSession, kind: str, ids: list[int]) -> None:
    """Say that these photos, imports, error-log rows, taste versions or bursts changed, or that renditions of these
    photos are ready. Heard by every orchestrator after the commit. Very many are told as `all`, without their
    numbers."""
    data = {"ids": ids} if len(ids) <= _MOST_TOLD else {"ids": [], "all": True}
    await session.execute(
        text("INSERT INTO events (kind, data) VALUES (:kind, CAST(:data AS jsonb))"),
        {"kind": kind, "data": json.dumps(data)},
    )
    await session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})


async def forget_old(session: AsyncSession) -> None:
    await session.execute(text("DELETE FROM events WHERE created_at < now() - interval '10 minutes'"))
