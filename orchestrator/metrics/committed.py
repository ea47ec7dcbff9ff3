"""Counting what a transaction did once it is sure."""

from collections.abc import Callable

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction


def after_commit(session: AsyncSession, count: Callable[[], None]) -> None:
    """What is rolled back is not counted: it is done again. A SAVEPOINT that is released is not sure yet."""
    sync = session.sync_session
    pending = [count]
    within = _enclosing(sync.get_nested_transaction() or sync.get_transaction())

    def committed(_: Session) -> None:
        if pending and not sync.in_nested_transaction():
            pending.pop()()

    def rolled_back(_: Session, ended: SessionTransaction) -> None:
        if ended in within:
            pending.clear()

    event.listen(sync, "after_commit", committed)
    event.listen(sync, "after_soft_rollback", rolled_back)


def _enclosing(transaction: SessionTransaction | None) -> list[SessionTransaction]:
    """A transaction and those around it."""
    return [] if transaction is None else [transaction, *_enclosing(transaction.parent)]
