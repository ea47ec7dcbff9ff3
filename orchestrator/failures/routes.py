"""Failed attempts and dead letters as JSON."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from orchestrator.answers import ERRORS
from orchestrator.context import ServicesDep
from orchestrator.failures import service
from orchestrator.failures.queries import (
    FailureFilter,
    FailureList,
    LetterList,
    LetterState,
    failure_page,
    letter_page,
)
from orchestrator.paging import PageDep

router = APIRouter(responses=ERRORS)

FilterDep = Annotated[FailureFilter, Depends()]


@router.get("/api/failures")
async def list_failures(services: ServicesDep, wanted: FilterDep, page: PageDep) -> FailureList:
    async with services.sessions() as session:
        return await failure_page(session, wanted, page)


@router.get("/api/dead-letters")
async def list_dead_letters(services: ServicesDep, page: PageDep, state: LetterState = "open") -> LetterList:
    """Those that wait for somebody, unless another state is asked for."""
    async with services.sessions() as session:
        return await letter_page(session, state, page)


class Requeued(BaseModel):
    requeued: int


@router.post("/api/dead-letters/{letter_id}/requeue")
async def requeue_dead_letter(services: ServicesDep, letter_id: int) -> Requeued:
    """Try it again as a new run. 409 when there is nothing to try."""
    async with services.sessions.begin() as session:
        requeued = await service.requeue(session, [letter_id])
    services.wake()
    return Requeued(requeued=requeued)
