"""Counting what a transaction did once it is sure."""

from collections.abc import Callable

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession


def after_commit(session: AsyncSession, count: Callable[[], None]) -> None:
    """What is rolled back is not counted: it is done again."""
    event.listen(session.sync_session, "after_commit", lambda _: count(), once=True)
