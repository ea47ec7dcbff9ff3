"""The page of one placard."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from orchestrator.context import ServicesDep
from orchestrator.paging import RowId
from orchestrator.placards.queries import PlacardDetail
from orchestrator.placards.routes import show_placard
from orchestrator.rendering import render

router = APIRouter(include_in_schema=False)


class PlacardPage(BaseModel):
    title: str
    state: PlacardDetail
    event: int


@router.get("/placard/{placard_id}", response_class=HTMLResponse)
async def show_placard_page(request: Request, services: ServicesDep, placard_id: RowId) -> HTMLResponse:
    event = services.live.last_id
    placard = await show_placard(services, placard_id)
    title = placard.words.subject if placard.words else placard.file_name
    return render(request, "placard.html", PlacardPage(title=title, state=placard, event=event))
