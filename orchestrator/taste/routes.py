"""The learned taste as JSON: where it stands, training, versions, and why a photo has its score."""

from fastapi import APIRouter, Request

from orchestrator.answers import ERRORS
from orchestrator.context import Services, ServicesDep
from orchestrator.paging import RowId
from orchestrator.taste import queries, versions
from orchestrator.taste.figures import KeptFigures
from orchestrator.taste.views import TasteOverview, TasteRows, Why
from orchestrator.taste.why import why

router = APIRouter(responses=ERRORS)


@router.get("/api/taste")
async def show_taste(request: Request, services: ServicesDep) -> TasteOverview:
    """The counts may lag behind by twenty times what counting takes."""
    return await overview_of(request, services)


@router.get("/api/taste/photos")
async def show_rows(services: ServicesDep) -> TasteRows:
    """What the model likes most and least, and where it and the person differ most."""
    async with services.sessions() as session:
        return await queries.rows_of_photos(session)


@router.post("/api/taste/train")
async def train_now(request: Request, services: ServicesDep) -> TasteOverview:
    """Train at once. Asking again while that is under way changes nothing."""
    async with services.sessions.begin() as session:
        await versions.train_now(session)
    return await overview_of(request, services)


@router.post("/api/taste/{version}/activate")
async def activate(request: Request, services: ServicesDep, version: RowId) -> TasteOverview:
    """Use this version from now on; every photo is scored again."""
    await versions.activate(services.sessions, services.artifacts, version)
    return await overview_of(request, services)


@router.get("/api/photos/{photo_id}/why")
async def explain(services: ServicesDep, photo_id: RowId) -> Why:
    """The rated photos that pull the score of this one most up and most down."""
    async with services.sessions() as session:
        return await why(session, services.artifacts, photo_id)


async def overview_of(request: Request, services: Services) -> TasteOverview:
    state = request.app.state
    if not hasattr(state, "taste_figures"):
        state.taste_figures = KeptFigures(services.sessions)
    figures = await state.taste_figures.get()
    trouble = services.trouble_of("train") or services.trouble_of("score")
    async with services.sessions() as session:
        return await queries.overview(session, services.settings.taste_window_seconds, figures, trouble)
