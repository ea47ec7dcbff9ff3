"""The pages of projects: all of them by their covers, and one with its photos in order."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from orchestrator.context import ServicesDep
from orchestrator.paging import Page, RowId
from orchestrator.photos.views import PhotoList
from orchestrator.projects import queries
from orchestrator.projects.service import unknown_project
from orchestrator.projects.views import LONGEST_NAME, ProjectItem, ProjectList
from orchestrator.rendering import render

router = APIRouter(include_in_schema=False)

_FIRST_PAGE = 200


class ProjectsPage(BaseModel):
    title: str = "Projects"
    state: ProjectList
    event: int
    longest_name: int = LONGEST_NAME


class ProjectPageState(BaseModel):
    """What the page starts from; it asks for the same again when it is told of a change."""

    project: ProjectItem
    photos: PhotoList


class ProjectPage(BaseModel):
    title: str
    state: ProjectPageState
    others: list[ProjectItem]  # that this one can be merged into
    event: int
    longest_name: int = LONGEST_NAME


@router.get("/projects", response_class=HTMLResponse)
async def show_projects(request: Request, services: ServicesDep) -> HTMLResponse:
    event = services.live.last_id
    async with services.sessions() as session:
        projects = ProjectList(items=await queries.all_projects(session))
    return render(request, "projects.html", ProjectsPage(state=projects, event=event))


@router.get("/projects/{project_id}", response_class=HTMLResponse)
async def show_project(request: Request, services: ServicesDep, project_id: RowId) -> HTMLResponse:
    event = services.live.last_id
    async with services.sessions() as session:
        project = await queries.project(session, project_id)
        if project is None:
            raise unknown_project()
        photos = await queries.photos_in_order(session, project_id, Page(None, _FIRST_PAGE))
        others = [other for other in await queries.all_projects(session) if other.id != project_id]
    state = ProjectPageState(project=project, photos=photos)
    return render(request, "project.html", ProjectPage(title=project.name, state=state, others=others, event=event))
