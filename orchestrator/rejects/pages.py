"""The page that says what rejected originals take, and sets them aside."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from orchestrator.context import ServicesDep
from orchestrator.rejects import room
from orchestrator.rejects.views import FreeSpace
from orchestrator.rendering import render

router = APIRouter(include_in_schema=False)


class FreeSpacePage(BaseModel):
    title: str = "Free space"
    state: FreeSpace
    event: int


@router.get("/free-space", response_class=HTMLResponse)
async def show_free_space_page(request: Request, services: ServicesDep) -> HTMLResponse:
    event = services.live.last_id
    page = FreeSpacePage(state=await room.free_space(services.sessions), event=event)
    return render(request, "free_space.html", page)
