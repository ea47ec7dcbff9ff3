"""Failed attempts and dead letters as JSON, and what can be done about the letters."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from orchestrator.answers import ERRORS, Refused
from orchestrator.context import ServicesDep
from orchestrator.failures import service
from orchestrator.failures.causes import CauseFilter, CauseList, CausesDep
from orchestrator.failures.queries import (
    FailureFilter,
    FailureList,
    LetterDetail,
    LetterFilter,
    LetterList,
    LetterState,
    Status,
    failure_page,
    letter_by_id,
    letter_page,
)
from orchestrator.paging import PageDep, RowId

router = APIRouter(responses=ERRORS)

FilterDep = Annotated[FailureFilter, Depends()]
CauseFilterDep = Annotated[CauseFilter, Depends()]


@router.get("/api/failures")
async def list_failures(services: ServicesDep, wanted: FilterDep, page: PageDep) -> FailureList:
    async with services.sessions() as session:
        return await failure_page(session, wanted, page)


@router.get("/api/dead-letters")
async def list_dead_letters(
    services: ServicesDep, page: PageDep, wanted: CauseFilterDep, state: LetterState = "open"
) -> LetterList:
    """Those that wait for somebody, unless another state is asked for."""
    async with services.sessions() as session:
        letters = LetterFilter(state, wanted.stage, wanted.error_type, wanted.status)
        return await letter_page(session, letters, page)


@router.get("/api/dead-letters/causes")
async def list_causes(causes: CausesDep, wanted: CauseFilterDep, state: LetterState = "open") -> CauseList:
    """The same letters by what went wrong, largest first."""
    return await causes.largest(state, wanted)


class Which(BaseModel):
    """Which letters; nothing means all. A name that is not known here is refused: it would mean all as well."""

    model_config = ConfigDict(extra="forbid")
    stage: str | None = None
    error_type: str | None = None
    status: Status | None = Field(None, description="0: no service answered")


class WhichDiscarded(Which):
    batch: UUID | None = Field(None, description="those that were discarded together")


class Requeued(BaseModel):
    requeued: int


class Discarded(BaseModel):
    discarded: int
    batch: UUID  # what brings exactly these back


class Reopened(BaseModel):
    reopened: int


@router.post("/api/dead-letters/requeue")
async def requeue_dead_letters(services: ServicesDep, causes: CausesDep, which: Which | None = None) -> Requeued:
    """Try all of them again as new runs; messages that belong to no run stay."""
    requeued = await service.requeue_all(services.sessions, _letters(which))
    causes.forget()
    services.wake()
    return Requeued(requeued=requeued)


@router.post("/api/dead-letters/discard")
async def discard_dead_letters(services: ServicesDep, causes: CausesDep, which: Which | None = None) -> Discarded:
    """They are no problem any more. Photos stay marked as failed where they failed."""
    discarded = await service.discard_all(services.sessions, _letters(which))
    causes.forget()
    return Discarded(discarded=discarded.count, batch=discarded.batch)


@router.post("/api/dead-letters/reopen")
async def reopen_dead_letters(
    services: ServicesDep, causes: CausesDep, which: WhichDiscarded | None = None
) -> Reopened:
    """Take back a discard."""
    batch = which.batch if which else None
    reopened = await service.reopen_all(services.sessions, _letters(which, batch))
    causes.forget()
    return Reopened(reopened=reopened)


@router.get("/api/dead-letters/{letter_id}")
async def show_dead_letter(services: ServicesDep, letter_id: RowId) -> LetterDetail:
    """The message, and every attempt that was made."""
    async with services.sessions() as session:
        letter = await letter_by_id(session, letter_id)
    if letter is None:
        raise Refused(404, "unknown_letter", "There is no dead letter with this number.")
    return letter


@router.post("/api/dead-letters/{letter_id}/requeue")
async def requeue_dead_letter(services: ServicesDep, letter_id: RowId) -> Requeued:
    """Try it again as a new run. 409 when there is nothing to try."""
    requeued = await service.requeue(services.sessions, letter_id)
    services.wake()
    return Requeued(requeued=requeued)


@router.post("/api/dead-letters/{letter_id}/discard")
async def discard_dead_letter(services: ServicesDep, letter_id: RowId) -> Discarded:
    discarded = await service.discard(services.sessions, letter_id)
    return Discarded(discarded=discarded.count, batch=discarded.batch)


@router.post("/api/dead-letters/{letter_id}/reopen")
async def reopen_dead_letter(services: ServicesDep, letter_id: RowId) -> Reopened:
    return Reopened(reopened=await service.reopen(services.sessions, letter_id))


def _letters(which: Which | None, batch: UUID | None = None) -> service.Which:
    if which is None:
        return service.Which(discarded_in=batch)
    return service.Which(which.stage, which.error_type, which.status, batch)
