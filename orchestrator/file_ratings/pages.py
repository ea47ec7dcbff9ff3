"""The page on which the person chooses between the two."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from orchestrator.context import ServicesDep
from orchestrator.file_ratings import queries
from orchestrator.file_ratings.queries import ConflictList
from orchestrator.paging import RowId
from orchestrator.rendering import render

router = APIRouter(include_in_schema=False)

_PER_PAGE = 50


class ConflictsPage(BaseModel):
    title: str = "Ratings that differ"
    conflicts: ConflictList
    is_first: bool
    event: int


@router.get("/conflicts", response_class=HTMLResponse)
async def show_conflicts(request: Request, services: ServicesDep, after: RowId | None = None) -> HTMLResponse:
    event = services.live.last_id
    async with services.sessions() as session:
        conflicts = await queries.conflicts(session, after, _PER_PAGE)
    page = ConflictsPage(conflicts=conflicts, is_first=after is None, event=event)
    return render(request, "rating_conflicts.html", page)
