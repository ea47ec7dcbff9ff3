"""The loupe says that somebody looks through it, so that bulk work goes easy meanwhile; see orchestrator.attention."""

from fastapi import APIRouter

from orchestrator import attention
from orchestrator.answers import ERRORS
from orchestrator.context import ServicesDep

router = APIRouter(responses=ERRORS)


@router.post("/api/review/here", status_code=204)
async def say_here(services: ServicesDep) -> None:
    """Somebody looks through photos; good for a minute."""
    async with services.sessions.begin() as session:
        await attention.here(session)


@router.post("/api/review/gone", status_code=204)
async def say_gone(services: ServicesDep) -> None:
    """The page was closed or put away: everything goes on at full speed."""
    async with services.sessions.begin() as session:
        await attention.gone(session)
    services.wake()
