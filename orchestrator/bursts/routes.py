"""Bursts over JSON."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from orchestrator.answers import ERRORS
from orchestrator.bursts import queries, service
from orchestrator.bursts.queries import BurstItem, BurstList, Search
from orchestrator.bursts.service import Kept
from orchestrator.context import Services, ServicesDep
from orchestrator.paging import PageDep, RowId
from orchestrator.review.service import Decision
from shared.contracts.bursts import LEAST_COSINE, MOST_GAP_SECONDS

router = APIRouter(responses=ERRORS)


class NewSearch(BaseModel):
    """What is not sent stays as it is; `least_cosine` null means the embedder's own again."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    gap_seconds: Annotated[float, Field(ge=0, le=MOST_GAP_SECONDS)] | None = None
    least_cosine: Annotated[float, Field(ge=LEAST_COSINE, le=1)] | None = None


class Choice(BaseModel):
    model_config = ConfigDict(extra="forbid")

    photo_id: RowId


class NewKeepBest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    best_id: RowId | None = None


class BurstDecided(BaseModel):
    """`burst` as it is now, null when it is none any more. `undo` takes the decision back; null when it was so
    already."""

    burst: BurstItem | None
    undo: UUID | None


class BestKept(BaseModel):
    """`spared` frames stay beside the best of their burst: they have four stars or more, are picks, or were kept.
    `brackets` were left out. `undo` takes all of it back."""

    undo: UUID | None
    groups: int
    kept: int
    rejected: int
    spared: int
    brackets: int


@router.get("/api/bursts")
async def list_bursts(services: ServicesDep, page: PageDep) -> BurstList:
    """Newest first; of long bursts the first frames and the best."""
    async with services.sessions() as session:
        return await queries.burst_page(session, page)


@router.post("/api/bursts/detect", status_code=202)
async def find_bursts(services: ServicesDep, wish: NewSearch | None = None) -> Search:
    """Look for bursts again, without waiting for imports that are under way."""
    wish = wish or NewSearch()
    await service.search_again(
        services.sessions,
        gap_seconds=wish.gap_seconds,
        least_cosine=wish.least_cosine,
        is_own_cosine="least_cosine" in wish.model_fields_set,
    )
    services.wake()
    async with services.sessions() as session:
        return await queries.search(session)


@router.post("/api/bursts/keep-best")
async def keep_best_of_all(services: ServicesDep) -> BestKept:
    """Keep Best for every burst at once; brackets are left out, and what the person spoke for stays."""
    return _kept(await service.keep_best_of_all(services.sessions))


@router.get("/api/bursts/{burst_id}")
async def show_burst(services: ServicesDep, burst_id: RowId) -> BurstItem:
    async with services.sessions() as session:
        found = await queries.burst_detail(session, burst_id)
    if found is None:
        raise service.unknown_burst()
    return found


@router.post("/api/bursts/{burst_id}/best")
async def choose_best(services: ServicesDep, burst_id: RowId, choice: Choice) -> BurstDecided:
    """This frame is the best, and stays it when bursts are found again."""
    return await _decided(services, burst_id, await service.choose_best(services.sessions, burst_id, choice.photo_id))


@router.post("/api/bursts/{burst_id}/keep-best")
async def keep_best(services: ServicesDep, burst_id: RowId, choice: NewKeepBest | None = None) -> BestKept:
    """Keep the best, or `best_id`, and reject all others of the burst."""
    return _kept(await service.keep_best(services.sessions, burst_id, choice.best_id if choice else None))


@router.post("/api/bursts/{burst_id}/keep-all")
async def keep_all(services: ServicesDep, burst_id: RowId) -> BurstDecided:
    """These photos are no burst, now and whenever bursts are found again."""
    return await _decided(services, burst_id, await service.keep_all(services.sessions, burst_id))


async def _decided(services: Services, burst_id: int, made: Decision) -> BurstDecided:
    async with services.sessions() as session:
        return BurstDecided(burst=await queries.burst_detail(session, burst_id), undo=made.batch)


def _kept(kept: Kept) -> BestKept:
    return BestKept.model_validate(kept, from_attributes=True)
