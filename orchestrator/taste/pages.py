"""The taste page."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from orchestrator.context import ServicesDep
from orchestrator.rendering import render
from orchestrator.taste.queries import rows_of_photos
from orchestrator.taste.routes import overview_of
from orchestrator.taste.views import TasteOverview, TasteRows

router = APIRouter(include_in_schema=False)


class TastePageState(BaseModel):
    """What the page starts from; it asks for the same again when it is told of a change."""

    overview: TasteOverview
    rows: TasteRows


class TastePage(BaseModel):
    title: str = "Taste"
    state: TastePageState
    event: int


@router.get("/taste", response_class=HTMLResponse)
async def show_taste(request: Request, services: ServicesDep) -> HTMLResponse:
    event = services.live.last_id
    overview = await overview_of(request, services)
    async with services.sessions() as session:
        rows = await rows_of_photos(session)
    return render(request, "taste.html", TastePage(state=TastePageState(overview=overview, rows=rows), event=event))
