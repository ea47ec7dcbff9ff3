"""Is it alive, and can it work?"""

from fastapi import APIRouter, Response
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from orchestrator.context import ServicesDep

router = APIRouter()


class Health(BaseModel):
    status: str


class Readiness(BaseModel):
    """`database` and `broker` say whether each answers."""

    status: str
    database: bool
    broker: bool


@router.get("/healthz")
async def is_alive() -> Health:
    return Health(status="ok")


@router.get("/readyz", responses={503: {"model": Readiness}})
async def is_ready(services: ServicesDep, response: Response) -> Readiness:
    """503 until both the database and the broker answer."""
    database, broker = await _database_answers(services), services.is_connected()
    if not (database and broker):
        response.status_code = 503
    return Readiness(status="ready" if database and broker else "waiting", database=database, broker=broker)


async def _database_answers(services: ServicesDep) -> bool:
    try:
        async with services.sessions() as session:
            await session.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError):
        return False
    return True
