"""Passes over JSON, and what a photo is rated beside."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from orchestrator.answers import ERRORS
from orchestrator.context import ServicesDep
from orchestrator.paging import RowId
from orchestrator.photos.views import PhotoItem
from orchestrator.preferences.views import CullOrder
from orchestrator.review import maybes, pass_queries, passes
from orchestrator.review.pass_queries import Kind, Progress, Stops, Way

router = APIRouter(responses=ERRORS)

_MOST_STOPS = 100


class NewPass(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Annotated[Kind, Field(alias="pass")]
    order: Annotated[CullOrder | None, Field(description="of a cull pass; the preferred one by default")] = None


class Opened(BaseModel):
    """`position` is the first place where nothing is decided; one past the last, `n`, when there is none."""

    id: int
    n: int
    position: int


class Place(BaseModel):
    """Null when there is none."""

    place: int | None


class Maybes(BaseModel):
    """The nearest first, eight at most."""

    items: list[PhotoItem]


@router.post("/api/review/passes")
async def open_pass(services: ServicesDep, wish: NewPass) -> Opened:
    """Go on with the pass of this kind, with new photos after the last, or begin one. Its order never changes: with
    another one another pass begins."""
    order = wish.order or services.preferences.current.cull_order
    found, position = await passes.open_pass(services.sessions, wish.kind, order)
    return Opened(id=found.id, n=found.n, position=position)


@router.get("/api/review/passes/{pass_id}")
async def show_progress(services: ServicesDep, pass_id: RowId) -> Progress:
    """What came of the pass so far."""
    async with services.sessions() as session:
        found = await passes.pass_by_id(session, pass_id)
        return await pass_queries.progress(session, found, passes.kind_of(found))


@router.get("/api/review/passes/{pass_id}/items")
async def list_stops(
    services: ServicesDep,
    pass_id: RowId,
    first: Annotated[int, Query(alias="from", ge=1, le=2**62, description="a place")] = 1,
    limit: Annotated[int, Query(ge=1, le=_MOST_STOPS)] = 50,
) -> Stops:
    async with services.sessions() as session:
        found = await passes.pass_by_id(session, pass_id)
        return await pass_queries.stops(session, found, passes.kind_of(found), first, limit)


@router.get("/api/review/passes/{pass_id}/burst")
async def find_burst(
    services: ServicesDep,
    pass_id: RowId,
    place: Annotated[int, Query(alias="from", ge=0, le=2**62)],
    way: Way = "next",
) -> Place:
    """The next stop that is a burst, or the one before."""
    async with services.sessions() as session:
        found = await passes.pass_by_id(session, pass_id)
        return Place(place=await pass_queries.burst_from(session, found, passes.kind_of(found), place, way))


@router.get("/api/photos/{photo_id}/maybes")
async def list_maybes(services: ServicesDep, photo_id: RowId) -> Maybes:
    """Kept photos that look like this one and are not settled: without stars, or with two to four."""
    async with services.sessions() as session:
        return Maybes(items=await maybes.maybes(session, photo_id))
