"""How often a password may be tried. The count is in the database, so all orchestrators on it share it."""

from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlmodel import col

from orchestrator.access.addresses import is_this_machine
from orchestrator.db import Sessions
from orchestrator.models import LoginAttempt

WINDOW = timedelta(minutes=15)
MOST = 10  # of one client in the window
MOST_OF_ALL = 100  # of all clients that are not this machine: a neighbour may have many addresses


async def may_try(sessions: Sessions, client: str) -> bool:
    """Counts this attempt, and says whether it may be made."""
    async with sessions.begin() as session:
        await session.execute(delete(LoginAttempt).where(col(LoginAttempt.tried_at) < func.now() - WINDOW))
        session.add(LoginAttempt(client=client))
    # Written first, counted then: of many at the same time none is overlooked.
    async with sessions() as session:
        own = func.count().filter(col(LoginAttempt.client) == client)
        mine, all_ = (await session.execute(select(own, func.count()).select_from(LoginAttempt))).one()
    return mine <= MOST and (all_ <= MOST_OF_ALL or is_this_machine(client))


async def forget(sessions: Sessions, client: str) -> None:
    """The password was right: what this client tried before counts no more."""
    async with sessions.begin() as session:
        await session.execute(delete(LoginAttempt).where(col(LoginAttempt.client) == client))
