"""When the taste model is trained."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

MATCH_SCORE = 70  # from this preference score on a photo is a match


async def request_training(session: AsyncSession, *, at_once: bool = False) -> None:
    """A rating changed: train, in its own time or `at_once`. Part of the transaction of the change, so that the last
    one is never lost."""
    await session.execute(
        text(
            "UPDATE taste_state SET requested_seq = requested_seq + 1, due_at = coalesce(due_at, now()),"
            " is_urgent = is_urgent OR :at_once"
        ),
        {"at_once": at_once},
    )
