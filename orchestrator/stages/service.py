"""Pausing and resuming a stage: what is in work is finished, nothing more of it is published."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator import events


async def pause(session: AsyncSession, stage: str) -> None:
    """Once is enough: a stage that is paused stays so, since the same moment."""
    await session.execute(
        text("INSERT INTO stage_pauses (stage) VALUES (:stage) ON CONFLICT (stage) DO NOTHING"), {"stage": stage}
    )
    await events.record(session, events.STAGES, [])


async def resume(session: AsyncSession, stage: str) -> None:
    await session.execute(text("DELETE FROM stage_pauses WHERE stage = :stage"), {"stage": stage})
    await events.record(session, events.STAGES, [])
