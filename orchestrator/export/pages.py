"""The page that shows what would be exported, and exports it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from orchestrator.context import ServicesDep
from orchestrator.export import queries
from orchestrator.export.routes import plan_of
from orchestrator.export.views import ExportPlan, ExportView
from orchestrator.rendering import render

router = APIRouter(include_in_schema=False)


class ExportPageState(BaseModel):
    newest: ExportView | None  # running, or the last one of the day


class ExportPage(BaseModel):
    title: str = "Export"
    plan: ExportPlan
    project: str | None
    projects: list[str]
    state: ExportPageState
    event: int


@router.get("/export", response_class=HTMLResponse)
async def show_export_page(
    request: Request, services: ServicesDep, project: Annotated[str | None, Query(max_length=200)] = None
) -> HTMLResponse:
    event = services.live.last_id
    plan = await plan_of(services, project or None)
    async with services.sessions() as session:
        projects = await queries.project_names(session)
    state = ExportPageState(newest=await services.exports.newest())
    page = ExportPage(plan=plan, project=project or None, projects=projects, state=state, event=event)
    return render(request, "export.html", page)
