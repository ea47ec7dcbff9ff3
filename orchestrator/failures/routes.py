"""Failed attempts and dead letters as JSON."""

from typing import Annotated

from fastapi import APIRouter, Depends

from orchestrator.answers import ERRORS
from orchestrator.context import ServicesDep
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
async def list_dead_letters(services: ServicesDep, page: PageDep, state: LetterState | None = None) -> LetterList:
    async with services.sessions() as session:
        return await letter_page(session, state, page)
