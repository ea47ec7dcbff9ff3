"""Photos whose files say another rating than the person says here, as JSON."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from orchestrator.answers import ERRORS
from orchestrator.context import ServicesDep
from orchestrator.file_ratings import queries, service
from orchestrator.file_ratings.queries import ConflictList
from orchestrator.file_ratings.service import Choice
from orchestrator.paging import RowId
from orchestrator.review.service import Decision
from orchestrator.review.verbs import committed

router = APIRouter(responses=ERRORS)


class NewChoice(BaseModel):
    """`ours` leaves the photo as it is, `theirs` gives it what its file says."""

    choice: Choice


class Settled(BaseModel):
    """`changed` photos have another rating now; `undo` takes that back."""

    changed: int
    undo: UUID | None


@router.get("/api/rating-conflicts")
async def list_conflicts(
    services: ServicesDep, after: RowId | None = None, limit: Annotated[int, Query(ge=1, le=100)] = 50
) -> ConflictList:
    """Newest first."""
    async with services.sessions() as session:
        return await queries.conflicts(session, after, limit)


@router.post("/api/rating-conflicts/{conflict_id}")
async def settle_one(services: ServicesDep, conflict_id: RowId, wish: NewChoice) -> Settled:
    """404 when there is no such conflict, 409 when it was settled already."""
    decision = await committed(services.sessions, lambda session: service.resolve(session, conflict_id, wish.choice))
    return _settled(decision)


@router.post("/api/rating-conflicts")
async def settle_all(services: ServicesDep, wish: NewChoice) -> Settled:
    """All that are open, in one decision."""
    return _settled(await committed(services.sessions, lambda session: service.resolve_all(session, wish.choice)))


def _settled(made: Decision) -> Settled:
    return Settled(changed=len(made.photo_ids), undo=made.batch)
