"""The password in the database: read, set and removed."""

import asyncio

from sqlalchemy import select, update
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.access.passwords import checked, hashed
from orchestrator.models import Access


async def stored(session: AsyncSession) -> Access:
    return (await session.scalars(select(Access))).one()


async def has_password(session: AsyncSession) -> bool:
    """False in a database that has no tables yet."""
    try:
        return (await session.scalar(select(col(Access.password_hash)))) is not None
    except ProgrammingError:
        await session.rollback()
        return False


async def set_password(session: AsyncSession, password: str | None) -> None:
    """None removes it. All logins end. Raises UnusablePassword."""
    kept = None if password is None else await asyncio.to_thread(hashed, checked(password))
    await session.execute(update(Access).values(password_hash=kept))
